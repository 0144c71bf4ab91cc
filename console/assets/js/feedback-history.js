// What people said of this post, the newest first.

import { actionBadge } from "./decision-rows.js";
import { foreign, h, panel } from "./dom.js";
import { clock, moment, parseTime, plural, words } from "./format.js";

export function feedbackHistory(feedback) {
  const newest = [...feedback].sort((a, b) => (parseTime(b.created_at) ?? 0) - (parseTime(a.created_at) ?? 0));
  return panel(
    "What people said",
    { id: "feedback-history", end: newest.length ? h("span", {}, plural(newest.length, "time")) : null },
    newest.length ? h("ol", { class: "said" }, newest.map(one)) : h("p", { class: "body muted" }, "Nobody yet."),
  );
}

function one(feedback) {
  const at = parseTime(feedback.created_at);
  const labels = Object.entries(feedback.labels ?? {});
  const marks = (feedback.spans?.length ?? 0) + (feedback.boxes?.length ?? 0) + (feedback.times?.length ?? 0);
  const rest = [
    marks ? plural(marks, "mark") : null,
    feedback.explanation_rating ? `explanation ${feedback.explanation_rating} of 5` : null,
    typeof feedback.seconds_spent === "number" ? `${Math.round(feedback.seconds_spent)} s` : null,
  ].filter(Boolean);
  return h(
    "li",
    { data: { feedback: feedback.feedback_id } },
    h("p", { class: "said-head" }, actionBadge(feedback.verdict), h("b", { class: "clip" }, foreign(feedback.reviewer ?? "unknown")), feedback.role ? h("span", { class: "faint small clip" }, foreign(feedback.role)) : null, h("time", { class: "faint small", title: moment(at) }, clock(at))),
    labels.length ? h("p", { class: "tags" }, labels.map(([label, holds]) => h("span", { class: `tag ${holds ? "holds" : "holds-not"}` }, foreign(`${holds ? "" : "not "}${words(label)}`)))) : null,
    feedback.comment ? h("p", { class: "said-comment", dir: "auto" }, feedback.comment) : null,
    rest.length ? h("p", { class: "small faint" }, rest.join(" · ")) : null,
  );
}
