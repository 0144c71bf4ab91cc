// A decision or a flag as one line of a list, and the keys that walk through such a list.

import { foreign, h } from "./dom.js";
import { clock, moment, score, words } from "./format.js";
import { postAddress } from "./router.js";

// Labels shown of a decision: more do not fit beside the rest.
const TOP_SHOWN = 3;

const SEVERITIES = ["none", "weak", "moderate", "strong", "extreme"];

export const actionBadge = (action, large = false) => h("span", { class: `badge ${action}${large ? " large" : ""}` }, String(action));

/** 0..4 as four bars, with the word in its title. */
export function severityBars(severity) {
  const word = SEVERITIES[severity] ?? String(severity);
  return h(
    "span",
    { class: "severity", role: "img", "aria-label": `Severity ${word}`, title: `Severity ${severity}: ${word}` },
    [1, 2, 3, 4].map((step) => h("i", { class: step <= severity ? `on s${severity}` : "" })),
  );
}

export function decisionRow(decision) {
  const flags = decision.flags ?? [];
  const top = (decision.top ?? []).slice(0, TOP_SHOWN);
  return h(
    "li",
    { data: { decision: decision.decision_id } },
    h(
      "a",
      { class: "row decision-row", href: postAddress(decision.post_id), data: { post: decision.post_id } },
      h("time", { class: "faint", title: moment(decision.decided_at_ms) }, clock(decision.decided_at_ms)),
      actionBadge(decision.action),
      foreign(decision.post_id, { class: "mono clip post-id", title: decision.post_id }),
      h(
        "span",
        { class: "tops" },
        top.map(([label, value]) => h("span", { class: `top${flags.includes(label) ? " is-flag" : ""}` }, foreign(words(label)), " ", h("b", {}, score(value)))),
      ),
      h("span", { class: "row-lang faint", title: "Language" }, foreign(decision.lang ?? "")),
      severityBars(decision.severity),
      h("span", { class: "number row-confidence", title: "Confidence" }, score(decision.confidence)),
    ),
  );
}

export function flagRow(flag) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row flag-row", href: postAddress(flag.post_id), data: { post: flag.post_id } },
      h("time", { class: "faint", title: moment(flag.decided_at_ms) }, clock(flag.decided_at_ms)),
      foreign(words(flag.flag), { class: "flag-name clip", title: flag.flag }),
      h(
        "span",
        { class: "number", title: flag.probability === null ? "A fact, not a probability." : `Probability ${flag.probability}, threshold ${flag.threshold ?? "–"}` },
        flag.probability === null ? "fact" : score(flag.probability),
      ),
      actionBadge(flag.action),
      foreign(flag.post_id, { class: "mono clip post-id faint", title: flag.post_id }),
    ),
  );
}

/** `j` and `k` through the rows of `place`. */
export function rowKeys(place) {
  const step = (by) => {
    const rows = [...place.querySelectorAll("a.row, button.row")];
    if (rows.length === 0) return;
    const at = rows.indexOf(document.activeElement);
    rows[at === -1 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)].focus();
  };
  return [
    { keys: "j", does: "Next line", run: () => step(1) },
    { keys: "k", does: "Line before", run: () => step(-1) },
  ];
}
