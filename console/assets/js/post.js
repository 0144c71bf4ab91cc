// One post: what was decided and why, its evidence in place, its way through the chain, and what people said of it.

import { get, Refused } from "./api.js";
import { actionBadge, severityBars } from "./decision-rows.js";
import { banner, button, empty, fill, foreign, h, icon, panel, toast } from "./dom.js";
import { evidencePanel } from "./evidence-list.js";
import { FeedbackForm } from "./feedback-form.js";
import { feedbackHistory } from "./feedback-history.js";
import { moment, parseTime, plural, score, second } from "./format.js";
import { addShortcuts } from "./keyboard.js";
import { mediaPanels } from "./media.js";
import { Pointer } from "./pointer.js";
import { goToNeighbour, neighbour } from "./post-queue.js";
import { labelsPanel, modalitiesPanel, reasonsPanel, versionsPanel } from "./post-facts.js";
import { textPanel } from "./post-text.js";
import { postAddress } from "./router.js";
import { Stopwatch } from "./stopwatch.js";
import { showAllButton, setShowAll, showsAll } from "./veil.js";
import { wayPanel } from "./way.js";

export function postView(place, { session, argument: postId }) {
  let end = () => {};
  let ended = false;

  async function load() {
    try {
      const answer = await get(`posts/${encodeURIComponent(postId)}`);
      if (ended) return;
      end();
      end = draw(place, { session, postId, answer, reload: loadHistory });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(place, headOf(postId), error.status === 404 ? notFound(error.message) : banner("bad", error.message));
    }
  }

  // After feedback was sent only its list is new: what the person looks at stays as it is.
  async function loadHistory() {
    const answer = await get(`posts/${encodeURIComponent(postId)}`).catch(() => null);
    const history = place.querySelector("#feedback-history");
    if (answer && history && !ended) history.replaceWith(feedbackHistory(answer.feedback));
  }

  fill(place, headOf(postId));
  load();
  return () => {
    ended = true;
    end();
  };
}

function draw(place, { session, postId, answer, reload }) {
  const { decision, post, deleted } = answer;
  const pointer = new Pointer();
  const evidence = decision?.evidence ?? [];
  const mayMark = Boolean(session.may.feedback && decision);
  const form = mayMark ? new FeedbackForm({ session, decision, media: answer.media ?? [], stopwatch: new Stopwatch(), onSent: reload }) : null;
  const list = evidence.length ? evidencePanel({ evidence, decision, pointer, form }) : null;
  const words = session.may.content && post ? textPanel({ post, decision, evidence, pointer, form, onShown: (shown) => list?.setShown(shown) }) : null;
  const media = session.may.content ? mediaPanels({ media: answer.media ?? [], evidence, pointer, form }) : null;

  fill(
    place,
    headOf(postId, decision),
    deleted ? banner("", "This post was deleted. What it said is gone; what was decided of it may still be in the topics until retention removes it.") : null,
    decision ? summary(decision, post, answer.confidence) : banner("", "No decision on this post is known."),
    session.may.content ? warning(decision, answer) : banner("", `Your role, ${session.role}, shows decisions without what was posted.`, "A reviewer's token shows the post too."),
    h(
      "div",
      { class: "post-board" },
      h(
        "div",
        { class: "post-content stack" },
        words?.element ?? (session.may.content && !deleted ? panel("Post", {}, empty(`The post itself cannot be shown: ${answer.why_no_post ?? "it is no longer in its topic"}.`)) : null),
        media?.elements,
        list?.element,
        decision ? wayPanel(answer.way ?? [], decision.timings_ms ?? {}) : null,
      ),
      decision
        ? h(
            "div",
            { class: "post-facts stack" },
            reasonsPanel(decision, pointer),
            labelsPanel(decision, answer.thresholds ?? {}),
            modalitiesPanel(decision),
            versionsPanel(decision),
          )
        : null,
      h(
        "div",
        { class: "post-feedback stack" },
        form?.element ?? (decision ? panel("Feedback", { id: "feedback" }, empty(`Your role, ${session.role}, reads; a reviewer gives feedback.`)) : null),
        feedbackHistory(answer.feedback ?? []),
      ),
    ),
  );

  const removeKeys = addShortcuts("Post", [
    { keys: "v", does: "Show or blur content", run: () => setShowAll(!showsAll()) },
    { keys: "j", does: "Next piece of evidence", run: () => pointer.step(1, evidence.length) },
    { keys: "k", does: "Piece of evidence before", run: () => pointer.step(-1, evidence.length) },
    { keys: "]", does: "Next post of the list", run: () => goToNeighbour(postId, 1) },
    { keys: "[", does: "Post before in the list", run: () => goToNeighbour(postId, -1) },
    ...(form ? form.shortcuts(pointer, evidence) : []),
  ]);
  return () => {
    removeKeys();
    form?.end();
    media?.end();
  };
}

function headOf(postId, decision = null) {
  const step = (by, name, label) => button({ name, label, class: "quiet small", disabled: neighbour(postId, by) === null }, () => goToNeighbour(postId, by));
  const copy = async () => {
    await navigator.clipboard?.writeText(postId).catch(() => null);
    toast("The post's id was copied.");
  };
  return h(
    "div",
    { class: "head post-head" },
    h("a", { class: "button quiet icon-only", href: "#/decisions", "aria-label": "Back to the decisions", title: "Back to the decisions" }, icon("back")),
    decision ? actionBadge(decision.action, true) : null,
    h("h1", { class: "mono clip", title: postId }, h("span", { class: "only-read" }, "Post "), foreign(postId)),
    button({ name: "copy", label: "Copy the id", class: "quiet" }, copy),
    h("div", { class: "end" }, showAllButton(), step(-1, "back", "Post before in the list ([)"), step(1, "next", "Next post of the list (])")),
  );
}

function summary(decision, post, confidence) {
  const at = parseTime(decision.decided_at);
  const { topic, partition, offset } = decision.source ?? {};
  const flags = (decision.flags ?? []).map((flag) => foreign(flag, { class: "tag flag-tag", title: flag }));
  const facts = [
    ["Flags", flags.length ? h("span", { class: "tags" }, flags) : "none"],
    ["Confidence", h("b", { data: { field: "confidence" } }, score(decision.confidence))],
    ["Severity", h("span", { class: "with-bars" }, severityBars(decision.severity), ` ${decision.severity} of 4`)],
    ["Language", foreign(decision.lang ?? "unknown")],
    ["Tenant", foreign(decision.tenant)],
    ["Decided", h("span", { title: moment(at) }, second(at))],
    post?.created_at ? ["Posted", h("span", { title: moment(parseTime(post.created_at)) }, second(parseTime(post.created_at)))] : null,
    post?.author_id ? ["Author", foreign(post.author_id, { class: "mono" })] : null,
    post?.platform ? ["Platform", foreign(post.platform)] : null,
    topic ? ["Source", h("span", { class: "mono" }, foreign(`${topic} ${partition}:${offset}`))] : null,
  ].filter(Boolean);
  return h(
    "section",
    { class: "summary panel", "aria-label": "Summary" },
    h("dl", { class: "facts" }, facts.map(([name, what]) => h("div", {}, h("dt", {}, name), h("dd", {}, what)))),
  );
}

function warning(decision, answer) {
  const media = answer.media?.length ?? 0;
  if (decision?.action === "approve" && media === 0) return null;
  const what = [decision && decision.action !== "approve" && answer.post ? "its text" : null, media ? `its ${media === 1 ? "picture or sound" : plural(media, "media item")}` : null].filter(Boolean).join(" and ");
  if (!what) return null;
  const many = what.includes(" and ") || media > 1;
  return h("p", { class: "content-warning small" }, icon("alert"), `This post may show hateful, violent or sexual content: ${what} stay${many ? "" : "s"} blurred until you show ${many ? "them" : "it"}. Nothing plays by itself.`);
}

function notFound(sentence) {
  return h(
    "div",
    { class: "panel" },
    h("div", { class: "empty" }, h("p", {}, sentence), h("p", { class: "small" }, "The console remembers the newest posts only. An id is matched as a whole, with its case.")),
  );
}
