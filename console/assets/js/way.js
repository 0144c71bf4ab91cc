// A post's way through the chain: stage after stage, with the time each took.

import { empty, foreign, h, panel } from "./dom.js";
import { duration } from "./format.js";

export function wayPanel(way, timings) {
  const steps = way.filter(({ stage }) => stage !== "total");
  const total = timings.total ?? null;
  const sum = steps.reduce((all, { ms }) => all + (ms ?? 0), 0);
  let before = 0;
  const rows = steps.map(({ stage, ms, engine }) => {
    const part = h("span", { class: "way-part" });
    part.style.left = `${sum > 0 ? (100 * before) / sum : 0}%`; // Through the CSSOM, as everywhere.
    part.style.width = `${sum > 0 ? (100 * (ms ?? 0)) / sum : 0}%`;
    before += ms ?? 0;
    return h(
      "li",
      { data: { stage, ms: ms ?? "" } },
      h("span", { class: "clip" }, foreign(stage), engine ? h("span", { class: "faint small" }, " ", foreign(engine.replace("ExecutionProvider", ""))) : null),
      h("span", { class: "way-track", "aria-hidden": "true" }, part),
      h("span", { class: "number", title: ms === null ? "This stage's time was not measured." : null }, duration(ms === null ? null : ms / 1000)),
    );
  });
  return panel(
    "Way through the chain",
    { id: "way", end: h("span", { title: "From the post's arrival to its decision, waiting in topics included" }, total === null ? "" : `total ${duration(total / 1000)}`) },
    steps.length ? h("ol", { class: "way body" }, rows) : empty("No stage said how long it took."),
  );
}
