// What a reviewer says of a decision. Made for the keyboard: every part has a key, and Ctrl+Enter sends.

import { post, Refused } from "./api.js";
import { button, foreign, h, panel, toast } from "./dom.js";
import { marksList } from "./feedback-marks.js";
import { Marks } from "./marks.js";
import { score, words } from "./format.js";

const VERDICT_KEYS = { approve: "a", review: "r", block: "b" };
const RATINGS = [1, 2, 3, 4, 5];

export class FeedbackForm {
  /** Set by the panel that shows the text: marks what is selected there. */
  markSelection = () => toast("This post has no text to mark.");
  #session;
  #decision;
  #stopwatch;
  #onSent;
  #marks = new Marks();
  #media;
  #form;
  #problem = h("p", { class: "problem", role: "alert" });
  #send = h("button", { class: "button primary", type: "submit" }, "Send feedback");
  #pictures = new Map();
  #comment = h("textarea", { class: "field", name: "comment", rows: 3, maxlength: 4000, "aria-label": "Comment" });
  #sending = false;
  #sendKey = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      this.#form.requestSubmit();
    }
  };

  constructor({ session, decision, media, stopwatch, onSent }) {
    this.#session = session;
    this.#decision = decision;
    this.#media = media;
    this.#stopwatch = stopwatch;
    this.#onSent = onSent;
    this.element = panel("Feedback", { id: "feedback", end: h("span", {}, "as ", foreign(session.who)) }, this.#build());
    document.addEventListener("keydown", this.#sendKey);
  }

  end() {
    document.removeEventListener("keydown", this.#sendKey);
    this.#stopwatch.end();
  }

  // What the content's panels ask for and tell.

  onMarks(listener) {
    this.#marks.on(listener);
  }

  spansIn(field) {
    return this.#marks.of("span").filter((mark) => mark.field === field).map((mark) => mark.span);
  }

  boxesOn(mediaId) {
    return this.#marks.of("box").filter((mark) => mark.media_id === mediaId).map((mark) => mark.bbox);
  }

  addSpan(field, span) {
    this.#marks.add({ kind: "span", field, span });
  }

  addBox(mediaId, bbox) {
    this.#marks.add({ kind: "box", media_id: mediaId, bbox });
  }

  addPicture(mediaId, picture, veil) {
    this.#pictures.set(mediaId, { picture, veil });
  }

  /** Whether a piece of evidence has a place that feedback can name. */
  canMark(item) {
    return Boolean((item.span && !item.media_id) || (item.media_id && (item.bbox || typeof item.t_start === "number")));
  }

  markEvidence(item) {
    if (item.span && !item.media_id) this.addSpan(item.field ?? null, [...item.span]);
    else if (item.bbox) this.addBox(item.media_id, [...item.bbox]);
    else this.#marks.add({ kind: "time", media_id: item.media_id, t_start: item.t_start, t_end: item.t_end ?? item.t_start });
  }

  shortcuts(pointer, evidence) {
    const focus = (selector) => this.#form.querySelector(selector)?.focus();
    const mark = () => {
      const item = getSelection()?.isCollapsed === false ? undefined : evidence[pointer.index];
      if (item && this.canMark(item)) this.markEvidence(item);
      else this.markSelection();
    };
    return [
      ...this.#session.actions.map((action) => ({ keys: VERDICT_KEYS[action] ?? action[0], does: `Verdict: ${action}`, run: () => this.#choose("verdict", action) })),
      { keys: "l", does: "Labels", run: () => focus("input[name^='label-']:checked") },
      { keys: "m", does: "Mark the selection or the evidence", run: mark },
      { keys: "c", does: "Comment", run: () => this.#comment.focus() },
      { keys: "1 – 5", does: "Rate the explanation", run: () => {} },
      ...RATINGS.map((rating) => ({ keys: String(rating), does: "", silent: true, run: () => this.#choose("rating", String(rating)) })),
      { keys: "Ctrl+Enter", does: "Send the feedback", run: () => {} },
    ];
  }

  #choose(name, value) {
    const input = this.#form.querySelector(`input[name="${name}"][value="${value}"]`);
    input.checked = true;
    input.focus();
  }

  #build() {
    const radio = (name, value, shown, checked = false, title = null) =>
      h("label", { title }, h("input", { type: "radio", name, value, checked }), h("span", {}, shown));
    this.#form = h(
      "form",
      { class: "body feedback-form", on: { submit: (event) => this.#submit(event) }, novalidate: true },
      h(
        "fieldset",
        {},
        h("legend", {}, "Verdict"),
        h("div", { class: "choices verdicts" }, this.#session.actions.map((action) => radio("verdict", action, [h("span", { class: `verdict-dot ${action}` }), words(action), h("kbd", { "aria-hidden": "true" }, VERDICT_KEYS[action] ?? action[0])]))),
      ),
      h(
        "fieldset",
        {},
        h("legend", {}, "Labels that hold"),
        h("ul", { class: "label-choices" }, this.#session.labels.map((label) => this.#labelRow(label, radio))),
      ),
      h(
        "fieldset",
        {},
        h("legend", {}, "Marks"),
        marksList(this.#marks, this.#session.labels),
        h(
          "div",
          { class: "mark-tools" },
          button({ name: "mark", text: "Text", class: "small", title: "Mark the selected text (m)" }, () => this.markSelection()),
          this.#media.some(({ kind }) => kind !== "audio") ? button({ name: "plus", text: "Box", class: "small", title: "Draw a box on a picture, or type it in" }, () => this.#drawBox()) : null,
          this.#media.some(({ kind }) => kind !== "image") ? button({ name: "plus", text: "Time", class: "small", title: "Mark a stretch of a sound or video" }, () => this.#addTime()) : null,
        ),
      ),
      h("label", { class: "labelled" }, h("h3", {}, "Comment"), this.#comment),
      h(
        "fieldset",
        {},
        h("legend", {}, "How good is the explanation?"),
        h("div", { class: "rating" }, h("div", { class: "choices" }, RATINGS.map((rating) => radio("rating", String(rating), rating, false, RATING_WORDS[rating]))), h("span", { class: "small faint" }, "1 misleading, 5 says it all")),
      ),
      this.#problem,
      h("div", { class: "send" }, this.#send, h("span", { class: "small faint" }, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"))),
    );
    return this.#form;
  }

  #labelRow(label, radio) {
    const value = this.#decision.labels?.[label];
    const name = `label-${label}`;
    return h(
      "li",
      { role: "radiogroup", "aria-label": words(label), data: { label } },
      h("span", { class: `clip${(this.#decision.flags ?? []).includes(label) ? " is-flag" : ""}` }, words(label)),
      h("span", { class: "number faint" }, value === undefined ? "–" : score(value)),
      h("div", { class: "choices three" }, radio(name, "true", "Yes"), radio(name, "false", "No"), radio(name, "unknown", "?", true, "Not judged")),
    );
  }

  #drawBox() {
    const [found] = this.#pictures;
    if (!found) {
      toast("There is no picture here to draw on.");
      return;
    }
    const [mediaId, { picture, veil }] = found;
    if (!veil.shown) veil.set(true);
    if (picture.drawing && picture.middle()) {
      // Asked for twice: the person has no pointer. The middle of the picture; its numbers can be typed.
      picture.drawing = false;
      this.addBox(mediaId, picture.middle());
      return;
    }
    picture.drawing = true;
    picture.element.scrollIntoView({ block: "nearest" });
    toast("Drag over the picture to draw a box. Press “Box” again to type its numbers instead.");
  }

  #addTime() {
    const item = this.#media.find(({ kind }) => kind !== "image");
    const player = [...document.querySelectorAll("[data-media]")].find((element) => element.dataset.media === item.media_id)?.querySelector("audio, video");
    const from = Math.round((player?.currentTime ?? 0) * 10) / 10;
    this.#marks.add({ kind: "time", media_id: item.media_id, t_start: from, t_end: from + 1 });
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#sending) return;
    const data = new FormData(this.#form);
    const verdict = data.get("verdict");
    const wrong = verdict === null ? "Choose a verdict first: a, r or b." : this.#marks.problem();
    this.#problem.textContent = wrong ?? "";
    if (wrong !== null) return;
    const rating = data.get("rating");
    const labels = Object.fromEntries(this.#session.labels.map((label) => [label, data.get(`label-${label}`)]).filter(([, said]) => said === "true" || said === "false").map(([label, said]) => [label, said === "true"]));
    this.#sending = true;
    this.#send.disabled = true;
    try {
      await post("feedback", {
        decision_id: this.#decision.decision_id,
        post_id: this.#decision.post_id,
        verdict,
        labels,
        ...this.#marks.sent(),
        comment: this.#comment.value.trim() || null,
        explanation_rating: rating === null ? null : Number(rating),
        seconds_spent: this.#stopwatch.seconds(),
      });
      toast("Feedback sent.");
      this.#form.reset();
      this.#marks.clear();
      this.#stopwatch.restart();
      this.#onSent();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#problem.textContent = error.message;
    } finally {
      this.#sending = false;
      this.#send.disabled = false;
    }
  }
}

const RATING_WORDS = { 1: "Misleading", 2: "Weak", 3: "Fair", 4: "Good", 5: "Says it all" };
