// The post's own words, title and parent, with the spans of the evidence marked in them.

import { cut, hiddenCharacters, length, selectedIn } from "./code-points.js";
import { button, fill, h, panel, toast } from "./dom.js";
import { plural, score } from "./format.js";
import { Veil } from "./veil.js";

const FIELDS = [
  { field: "parent", title: "Answers to", of: (post) => post.context?.parent_text },
  { field: "title", title: "Title", of: (post) => post.context?.title },
  { field: null, title: "Text", of: (post) => post.text },
];

export function textPanel({ post, decision, evidence, pointer, form, onShown }) {
  const parts = FIELDS.map((part) => ({ ...part, text: part.of(post) })).filter(({ text }) => text);
  if (parts.length === 0) return null;
  const places = new Map();
  const bodies = parts.map(({ field, title, text }) => {
    const words = h("div", { class: "words", dir: "auto", data: { field: field ?? "text" } });
    places.set(field, words);
    const draw = () => fill(words, pieces(text, spansIn(field, evidence, form), evidence, pointer));
    draw();
    form?.onMarks(draw);
    const hidden = hiddenCharacters(text);
    return h(
      "section",
      { class: "text-part" },
      h("h3", {}, title, h("span", { class: "faint" }, ` ${plural(length(text), "character")}`), hidden ? h("span", { class: "badge plain review" }, `${plural(hidden, "hidden character")}`) : null),
      h("div", { class: "words-scroll", tabindex: "0", role: "group", "aria-label": title }, words),
    );
  });
  const veil = new Veil(h("div", { class: "text-parts" }, bodies), { what: "Text that was flagged", needed: decision === null || decision.action !== "approve", onChange: onShown });

  const markSelection = () => {
    for (const [field, words] of places) {
      const span = selectedIn(words);
      if (span) {
        form.addSpan(field, span);
        getSelection().removeAllRanges();
        return;
      }
    }
    toast("Select some of the post's text first.");
  };
  if (form) form.markSelection = markSelection;

  pointer.on(({ index, jump }) => {
    for (const words of places.values()) {
      for (const mark of words.querySelectorAll("mark")) mark.classList.toggle("is-pointed", mark.dataset.evidence.split(" ").includes(String(index)));
    }
    if (!jump) return;
    const first = [...places.values()].map((words) => words.querySelector("mark.is-pointed")).find(Boolean);
    first?.scrollIntoView({ block: "nearest" });
  });

  return {
    element: panel("Post", { id: "post-text", end: form ? button({ name: "mark", text: "Mark selection", class: "small quiet", title: "Mark the selected text for the feedback (m)" }, markSelection) : null }, h("div", { class: "body" }, veil.element)),
  };
}

function spansIn(field, evidence, form) {
  const found = evidence.flatMap((item, index) => (item.span && !item.media_id && (item.field ?? null) === field ? [{ start: item.span[0], end: item.span[1], index }] : []));
  const marked = form ? form.spansIn(field).map(([start, end]) => ({ start, end, index: "mine" })) : [];
  return [...found, ...marked];
}

function pieces(text, spans, evidence, pointer) {
  return cut(text, spans).map(({ text: piece, indices }) => {
    const numbers = indices.filter((index) => index !== "mine");
    const mine = indices.length > numbers.length;
    if (indices.length === 0) return piece;
    const said = numbers.map((index) => `evidence ${index + 1}: ${score(evidence[index].score)}`);
    return h(
      "mark",
      {
        class: `${numbers.length ? "is-evidence" : ""}${numbers.length > 1 ? " is-deep" : ""}${mine ? " is-mine" : ""}`,
        data: { evidence: numbers.join(" ") },
        title: [...said, mine ? "your mark" : null].filter(Boolean).join(", "),
        on: numbers.length ? { click: () => pointer.point(numbers[0], { jump: false }) } : {},
      },
      piece,
    );
  });
}
