// What the chain said of a post, as panels: reasons, labels, modalities, versions.

import { empty, foreign, h, panel } from "./dom.js";
import { probability, score, words } from "./format.js";

export function reasonsPanel(decision, pointer) {
  const reasons = decision.reasons ?? [];
  const body = reasons.length
    ? h(
        "ul",
        { class: "reasons" },
        reasons.map((reason) =>
          h(
            "li",
            {},
            h("p", {}, foreign(reason.text)),
            h(
              "p",
              { class: "small faint" },
              "rule ",
              foreign(reason.rule, { class: "mono" }),
              reason.guideline ? [", guideline ", foreign(reason.guideline, { class: "mono" })] : null,
              (reason.evidence ?? []).length ? [", evidence ", reason.evidence.map((index) => h("button", { type: "button", class: "evidence-link", on: { click: () => pointer.point(index) } }, index + 1))] : null,
            ),
          ),
        ),
      )
    : empty(decision.action === "approve" ? "No rule fired: approved." : "No rule fired; doubt about what could not be read asks for a person.");
  return panel("Why", { id: "reasons" }, body);
}

export function labelsPanel(decision, thresholds) {
  const flags = new Set(decision.flags ?? []);
  const sorted = (scores) => Object.entries(scores ?? {}).sort(([, a], [, b]) => b - a);
  const labels = sorted(decision.labels);
  const others = [["Aimed at", sorted(decision.targets)], ["How", sorted(decision.attacks)]].filter(([, scores]) => scores.length);
  const known = Object.keys(thresholds).length > 0;
  return panel(
    "Labels",
    { id: "labels", end: h("span", {}, known ? "with thresholds" : "probability") },
    h(
      "div",
      { class: "body" },
      labels.length ? h("ul", { class: "bars" }, labels.map(([name, value]) => bar(name, value, flags.has(name), thresholds[name]))) : h("p", { class: "muted" }, "Nothing was assessed."),
      others.map(([title, scores]) =>
        h("details", { class: "more" }, h("summary", {}, title, h("span", { class: "faint" }, ` ${words(scores[0][0])} ${score(scores[0][1])}`)), h("ul", { class: "bars" }, scores.map(([name, value]) => bar(name, value, false, undefined)))),
      ),
      decision.explicitness ? h("p", { class: "small muted more" }, `Explicitness: ${decision.explicitness}.`) : null,
      (decision.not_assessed ?? []).length
        ? h("p", { class: "small faint more", title: "The pack has no measured head for these, or they need a picture: they are not zero." }, "Not assessed: ", decision.not_assessed.map(words).join(", "), ".")
        : null,
    ),
  );
}

function bar(name, value, flagged, threshold) {
  const filled = h("span", { class: "bar-fill" });
  filled.style.width = `${100 * value}%`; // Through the CSSOM: inline style attributes are not allowed here.
  const tick = typeof threshold === "number" ? h("span", { class: "bar-tick", title: `Threshold ${threshold}` }) : null;
  if (tick) tick.style.left = `${100 * threshold}%`;
  return h(
    "li",
    { class: flagged ? "is-flag" : "", data: { label: name, value } },
    foreign(words(name), { class: "clip", title: name }),
    h("span", { class: "bar-track", "aria-hidden": "true" }, filled, tick),
    h("span", { class: "number" }, probability(value)),
    flagged ? h("span", { class: "only-read" }, "flagged") : null,
  );
}

const STATUS_KIND = { ok: "approve", partial: "review", failed: "block", unsafe: "block" };

export function modalitiesPanel(decision) {
  const entries = Object.entries(decision.modalities ?? {});
  return panel(
    "Modalities",
    { id: "modalities" },
    h(
      "table",
      { class: "grid-table modalities" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Modality"), h("th", { scope: "col" }, "Status"), ["Score", "Conf.", "Weight"].map((title) => h("th", { scope: "col", class: "number" }, title)))),
      h(
        "tbody",
        {},
        entries.map(([name, modality]) => [
          h(
            "tr",
            { class: modality.status === "absent" ? "faint" : "", data: { modality: name } },
            h("td", {}, words(name)),
            h("td", {}, h("span", { class: `badge ${STATUS_KIND[modality.status] ?? "plain"}` }, modality.status)),
            ["score", "confidence", "weight"].map((field) => h("td", { class: "number", title: modality[field] === undefined ? "Nothing of this modality was judged." : null }, score(modality[field]))),
          ),
          modality.reason ? h("tr", { class: "modality-reason" }, h("td", { colspan: 5, class: "small muted" }, foreign(modality.reason))) : null,
        ]),
      ),
    ),
  );
}

export function versionsPanel(decision) {
  const { code, pack, policy, layers = [], engines = {} } = decision.versions ?? {};
  const pairs = [
    ["Pack", pack],
    ["Policy", policy],
    ["Layers", layers.join(" → ")],
    ["Code", code],
    ["Decision", decision.decision_id],
    ...Object.entries(engines).map(([graph, engine]) => [`Engine, ${graph}`, engine]),
  ].filter(([, value]) => value);
  return panel("Versions", { id: "versions" }, h("dl", { class: "pairs small body" }, pairs.map(([name, value]) => [h("dt", {}, name), h("dd", { class: "mono" }, foreign(value))])));
}
