// One number, large, with its name above it and what explains it below.

import { h } from "./dom.js";

export class Tile {
  #number = h("span", { class: "tile-number" });
  #unit = h("span", { class: "tile-unit" });
  #below = h("p", { class: "tile-below clip" });
  #why;

  /** `why` is what a dash means here. */
  constructor(name, why) {
    this.#why = why;
    this.element = h("section", { class: "tile", "aria-label": name, data: { tile: name } }, h("h2", { class: "tile-name" }, name), h("p", { class: "tile-value" }, this.#number, this.#unit), this.#below);
  }

  /** `value` is the number itself (null: not measured), `text` how it is written. */
  show(value, text, unit = "", below = "") {
    const missing = value === null || value === undefined;
    put(this.#number, text);
    put(this.#unit, missing ? "" : unit);
    put(this.#below, missing ? "" : below);
    this.element.dataset.value = missing ? "" : String(value);
    if (missing) this.element.title = this.#why;
    else this.element.removeAttribute("title");
    this.#below.title = below;
  }
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
