// The marks of a feedback as lines: where, as numbers that can be typed, and which label they show.

import { button, fill, foreign, h } from "./dom.js";
import { words } from "./format.js";

export function marksList(marks, labels) {
  const list = h("ul", { class: "marks" });
  const draw = ({ typed = false } = {}) => {
    if (typed) return; // Its own inputs did it: drawing again would take the focus away.
    const all = marks.all();
    fill(list, all.length ? all.map((mark) => line(mark, marks, labels)) : h("li", { class: "small faint" }, "None. Mark text, boxes or times that show why."));
  };
  marks.on(draw);
  draw();
  return list;
}

function line(mark, marks, labels) {
  const number = (name, value, write, step) =>
    h("input", {
      class: "field",
      type: "number",
      min: 0,
      step,
      value,
      "aria-label": name,
      title: name,
      on: {
        input: (event) => {
          write(event.target.value === "" ? Number.NaN : Number(event.target.value));
          marks.changed({ typed: true });
        },
      },
    });
  const numbers = {
    span: () => ["Start, in characters", "End, in characters"].map((name, at) => number(name, mark.span[at], (value) => (mark.span[at] = value), 1)),
    box: () => ["Left", "Top", "Width", "Height"].map((name, at) => number(`${name}, in pixels`, mark.bbox[at], (value) => (mark.bbox[at] = value), "any")),
    time: () => ["t_start", "t_end"].map((key, at) => number(at ? "End, in seconds" : "Start, in seconds", mark[key], (value) => (mark[key] = value), "any")),
  };
  const choose = h(
    "select",
    { class: "field", "aria-label": "Label that this mark shows", on: { change: (event) => (mark.label = event.target.value || null) } },
    h("option", { value: "" }, "any label"),
    labels.map((label) => h("option", { value: label, selected: mark.label === label }, words(label))),
  );
  const where = mark.kind === "span" ? (mark.field ?? "text") : mark.media_id;
  return h(
    "li",
    { data: { kind: mark.kind } },
    h("span", { class: "mark-where" }, mark.kind === "span" ? "text in " : `${mark.kind} in `, foreign(where, { class: "clip" })),
    button({ name: "close", label: "Remove this mark", class: "quiet small" }, () => marks.remove(mark)),
    h("div", { class: "mark-numbers" }, numbers[mark.kind](), choose),
  );
}
