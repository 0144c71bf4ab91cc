// Which piece of evidence is pointed at. List, text, pictures and sounds show the same one.

export class Pointer extends EventTarget {
  index = null;

  /** Points at evidence `index`; `jump` where the person asked to be taken there. */
  point(index, { jump = true } = {}) {
    this.index = index;
    this.dispatchEvent(new CustomEvent("point", { detail: { index, jump } }));
  }

  step(by, length) {
    if (length === 0) return;
    const at = this.index === null ? (by > 0 ? -1 : length) : this.index;
    this.point(Math.min(Math.max(at + by, 0), length - 1));
  }

  /** Calls `listener({index, jump})` on each change. */
  on(listener) {
    this.addEventListener("point", (event) => listener(event.detail));
  }
}
