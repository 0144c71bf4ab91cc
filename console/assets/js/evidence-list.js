// All evidence as a list: where it is, what was read or heard there, and how strongly it speaks.

import { button, fill, foreign, h, icon, panel } from "./dom.js";
import { position, score, words } from "./format.js";
import { showsAll } from "./veil.js";

export function evidencePanel({ evidence, decision, pointer, form }) {
  const needed = decision.action !== "approve" || evidence.some((item) => item.media_id);
  const rows = evidence.map((item, index) => row(item, index, pointer, form));
  const list = h("ol", { class: "evidence-list" }, rows);
  const toggle = button({ name: "eye", text: "Show", class: "small quiet" }, () => setShown(list.classList.contains("is-veiled")));

  function setShown(shown) {
    const down = needed && !shown;
    list.classList.toggle("is-veiled", down);
    for (const text of list.querySelectorAll(".evidence-text")) text.inert = down;
    toggle.hidden = !needed;
    fill(toggle, icon(down ? "eye" : "eye-off"), down ? "Show" : "Blur");
  }
  setShown(showsAll());

  pointer.on(({ index, jump }) => {
    rows.forEach((line, at) => line.classList.toggle("is-pointed", at === index));
    if (jump) rows[index]?.scrollIntoView({ block: "nearest" });
  });
  return { element: panel("Evidence", { id: "evidence", end: toggle }, list), setShown };
}

function row(item, index, pointer, form) {
  const found = whereOf(item);
  return h(
    "li",
    { class: "evidence-row", data: { evidence: index } },
    h(
      "button",
      { type: "button", class: "evidence-jump", title: "Show where it is", on: { click: () => pointer.point(index) } },
      h("span", { class: "evidence-number" }, index + 1),
      h("span", { class: "evidence-where" }, h("b", {}, words(item.modality)), " ", foreign(found, { class: "faint" })),
      h("span", { class: "evidence-text" }, item.text ? foreign(item.text) : h("span", { class: "faint" }, item.bbox && !item.score ? "found, not readable" : "")),
      h("span", { class: "number", title: item.confidence === undefined ? "Score" : `Score; read with confidence ${item.confidence}` }, score(item.score)),
    ),
    form && form.canMark(item) ? button({ name: "mark", label: `Mark evidence ${index + 1} for the feedback`, class: "quiet small" }, () => form.markEvidence(item)) : null,
  );
}

/** Where a piece of evidence is, in words. */
export function whereOf(item) {
  const where = [];
  if (item.media_id) where.push(item.media_id);
  if (item.field) where.push(item.field);
  if (item.span) where.push(`${item.span[0]}–${item.span[1]}`);
  if (item.t_start !== undefined && item.t_start !== null) {
    where.push(item.t_end === undefined || item.t_end === null ? position(item.t_start) : `${position(item.t_start)}–${position(item.t_end)}`);
  }
  return where.join(" · ");
}
