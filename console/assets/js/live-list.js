// A list that fills from the top as things happen, and holds still while somebody reads it.

import { fill, h } from "./dom.js";
import { plural } from "./format.js";

// Decisions may come by the hundred a second; nobody reads faster than this, and the page stays light.
const DRAW_MS = 500;

export class LiveList {
  #waiting = [];
  #paused = false;
  #pointed = false;
  #kept;
  #row;
  #timer;
  #onHold;
  #nothing;

  /** `row(item)` makes a line; the newest `kept` stay. `onHold(text | null)` is told when new ones are held back. */
  constructor({ row, kept, nothing, onHold = () => {} }) {
    this.#row = row;
    this.#kept = kept;
    this.#onHold = onHold;
    this.list = h("ol", { class: "rows" });
    this.#nothing = h("div", { class: "empty" }, nothing);
    this.element = h("div", { class: "live-list" }, this.#nothing, this.list);
    this.list.addEventListener("pointerenter", (event) => this.#point(event.pointerType === "mouse"));
    this.list.addEventListener("pointerleave", () => this.#point(false));
    this.#timer = setInterval(() => this.#draw(), DRAW_MS);
  }

  get paused() {
    return this.#paused;
  }

  set paused(paused) {
    this.#paused = paused;
    this.#draw();
  }

  /** Shows `items`, newest first, in place of what is there. */
  load(items) {
    fill(this.list, items.slice(0, this.#kept).map(this.#row));
    this.#nothing.hidden = this.list.children.length > 0;
  }

  add(item) {
    this.#waiting.unshift(item);
    this.#waiting.length = Math.min(this.#waiting.length, this.#kept);
    if (this.list.children.length === 0 && !this.#paused) this.#draw();
  }

  end() {
    clearInterval(this.#timer);
  }

  #point(pointed) {
    this.#pointed = pointed;
    this.#draw();
  }

  #draw() {
    const held = this.#paused || this.#pointed || this.list.contains(document.activeElement);
    const waiting = this.#waiting.length;
    if (held || waiting === 0) {
      const many = waiting === this.#kept ? `${waiting}+ new` : plural(waiting, "new", "new");
      this.#onHold(held && waiting > 0 ? many : null);
      return;
    }
    this.#onHold(null);
    this.list.prepend(...this.#waiting.map(this.#row));
    this.#waiting = [];
    while (this.list.children.length > this.#kept) this.list.lastElementChild.remove();
    this.#nothing.hidden = true;
  }
}
