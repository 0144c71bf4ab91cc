// Content is blurred until somebody wants to see it: one piece at a time, or all of it until the tab is closed.

import { button, fill, h, icon } from "./dom.js";
import { keep, kept } from "./storage.js";

const veils = new Set();
const buttons = new Map();

export const showsAll = () => kept("show-content", { session: true }) === "yes";

export function setShowAll(yes) {
  keep("show-content", yes ? "yes" : "no", { session: true });
  for (const veil of veils) {
    if (veil.element.isConnected) veil.set(yes);
    else veils.delete(veil);
  }
  for (const [made, draw] of buttons) {
    if (made.isConnected) draw();
    else buttons.delete(made);
  }
}

export class Veil {
  #content;
  #cover;

  /** `what` names what is behind it. `onChange(shown)` is told each time; `needed: false` makes a veil that is never down. */
  constructor(content, { what, needed = true, onChange = () => {} }) {
    this.#content = h("div", { class: "veiled" }, content);
    this.needed = needed;
    this.onChange = onChange;
    this.#cover = h("div", { class: "veil-cover" }, h("p", {}, what), button({ name: "eye", text: "Show", class: "small" }, () => this.set(true)));
    this.element = h("div", { class: "veil" }, this.#content, this.#cover);
    this.set(!needed || showsAll());
    if (needed) veils.add(this);
  }

  get shown() {
    return !this.element.classList.contains("is-down");
  }

  set(shown) {
    const down = this.needed && !shown;
    this.element.classList.toggle("is-down", down);
    // What cannot be seen is not read aloud, found by the keyboard or copied either.
    this.#content.inert = down;
    this.#cover.hidden = !down;
    this.onChange(!down);
  }
}

/** The button that shows or blurs everything, for this tab. */
export function showAllButton() {
  const made = button({ name: "eye", text: "", class: "small" }, () => setShowAll(!showsAll()));
  const draw = () => {
    fill(made, icon(showsAll() ? "eye-off" : "eye"), showsAll() ? "Blur content" : "Show all content");
    made.setAttribute("aria-pressed", String(showsAll()));
    made.title = showsAll() ? "Blur what is flagged, and all media, again" : "Show content without blur until this tab is closed";
  };
  draw();
  buttons.set(made, draw);
  return made;
}
