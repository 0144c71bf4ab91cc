// A picture with boxes on it. Boxes are in pixels of the upright original; the picture may be shown at any size.

import { fill, h } from "./dom.js";
import { score } from "./format.js";

// A drag shorter than this, in pixels of the screen, is a click.
const SHORTEST_DRAG = 5;

export class Picture {
  #overlay = h("div", { class: "boxes" });
  #image = h("img", { alt: "", draggable: "false", decoding: "async", on: { load: () => this.#loaded(), error: () => this.#broken() } });
  #size = null;
  #origin = [0, 0];
  #scale = 1;
  #pieces = [];
  #pointer;
  #form;
  #mediaId;
  #drawing = false;

  constructor({ pointer, form, mediaId }) {
    this.#pointer = pointer;
    this.#form = form;
    this.#mediaId = mediaId;
    this.element = h("div", { class: "picture" }, this.#image, this.#overlay);
    this.#overlay.addEventListener("pointerdown", (event) => this.#drag(event));
    pointer.on(({ index }) => {
      for (const box of this.#overlay.querySelectorAll(".box[data-evidence]")) box.classList.toggle("is-pointed", box.dataset.evidence === String(index));
    });
    form?.onMarks(() => this.#draw());
  }

  /** Shows a part of the original: `scale` pixels of the original per pixel, from `origin` on. A size that is not known is
      read from the file. */
  show({ src, width, height, scale = 1, origin = [0, 0] }, alt) {
    this.#scale = scale ?? 1;
    this.#origin = origin ?? [0, 0];
    this.#size = width && height ? [width * this.#scale, height * this.#scale] : null;
    this.#image.alt = alt;
    this.#image.src = src;
    if (width && height) {
      this.#image.width = width;
      this.#image.height = height;
    }
    this.#draw();
  }

  /** Evidence with boxes: [{bbox, index, score, text}]. */
  setEvidence(pieces) {
    this.#pieces = pieces;
    this.#draw();
  }

  /** From now on, dragging over the picture draws a box; once. */
  set drawing(drawing) {
    this.#drawing = drawing;
    this.element.classList.toggle("is-drawing", drawing);
  }

  get drawing() {
    return this.#drawing;
  }

  /** [x, y, width, height] of the middle of what is shown, in pixels of the original; null until its size is known. */
  middle() {
    if (this.#size === null) return null;
    const [[left, top], [width, height]] = [this.#origin, this.#size];
    return [left + width / 4, top + height / 4, width / 2, height / 2].map(Math.round);
  }

  #loaded() {
    if (this.#size === null) {
      this.#size = [this.#image.naturalWidth * this.#scale, this.#image.naturalHeight * this.#scale];
      this.#draw();
    }
  }

  #broken() {
    this.element.classList.add("is-broken");
    fill(this.#overlay, h("p", { class: "picture-problem" }, "The picture could not be loaded."));
  }

  #draw() {
    if (this.#size === null || this.element.classList.contains("is-broken")) return;
    const found = this.#pieces.map((piece) => {
      const said = `Evidence ${piece.index + 1}${piece.text ? `: ${piece.text}` : ""}, ${score(piece.score)}`;
      const box = h("button", { type: "button", class: `box${piece.index === this.#pointer.index ? " is-pointed" : ""}`, "aria-label": said, title: said, data: { evidence: piece.index }, on: { click: () => this.#pointer.point(piece.index, { jump: false }) } }, h("span", { class: "box-number", "aria-hidden": "true" }, piece.index + 1));
      return this.#at(box, piece.bbox);
    });
    const mine = (this.#form?.boxesOn(this.#mediaId) ?? []).map((bbox) => this.#at(h("div", { class: "box is-mine", title: "Your mark" }), bbox));
    fill(this.#overlay, found, mine);
  }

  #at(box, [x, y, width, height]) {
    const [all, high] = this.#size;
    box.style.left = `${(100 * (x - this.#origin[0])) / all}%`; // Through the CSSOM, as everywhere.
    box.style.top = `${(100 * (y - this.#origin[1])) / high}%`;
    box.style.width = `${(100 * width) / all}%`;
    box.style.height = `${(100 * height) / high}%`;
    return box;
  }

  #drag(event) {
    if (!this.#drawing || this.#size === null || event.button !== 0) return;
    event.preventDefault();
    const frame = this.#overlay.getBoundingClientRect();
    const place = ({ clientX, clientY }) => [
      this.#origin[0] + (Math.min(Math.max(clientX - frame.left, 0), frame.width) / frame.width) * this.#size[0],
      this.#origin[1] + (Math.min(Math.max(clientY - frame.top, 0), frame.height) / frame.height) * this.#size[1],
    ];
    const start = place(event);
    const drawn = h("div", { class: "box is-mine" });
    this.#overlay.append(drawn);
    this.#overlay.setPointerCapture(event.pointerId);
    const boxTo = (move) => {
      const end = place(move);
      const [x, y] = [Math.min(start[0], end[0]), Math.min(start[1], end[1])];
      return [x, y, Math.abs(end[0] - start[0]), Math.abs(end[1] - start[1])].map((value) => Math.round(value * 10) / 10);
    };
    const move = (moved) => this.#at(drawn, boxTo(moved));
    const done = (ended) => {
      this.#overlay.removeEventListener("pointermove", move);
      this.#overlay.removeEventListener("pointerup", done);
      this.#overlay.removeEventListener("pointercancel", done);
      drawn.remove();
      const far = Math.hypot(ended.clientX - event.clientX, ended.clientY - event.clientY) >= SHORTEST_DRAG;
      if (ended.type === "pointerup" && far) {
        this.drawing = false;
        this.#form.addBox(this.#mediaId, boxTo(ended));
      }
    };
    this.#overlay.addEventListener("pointermove", move);
    this.#overlay.addEventListener("pointerup", done);
    this.#overlay.addEventListener("pointercancel", done);
  }
}
