// What a reviewer marked: {kind: "span", field, span}, {kind: "box", media_id, bbox} or {kind: "time", media_id, t_start,
// t_end}, each with a `label` or null.

export class Marks {
  #marks = [];
  #listeners = new Set();

  on(listener) {
    this.#listeners.add(listener);
  }

  of(kind) {
    return this.#marks.filter((mark) => mark.kind === kind);
  }

  all() {
    return [...this.#marks];
  }

  /** Adds a mark, unless the same place is marked already. */
  add(mark) {
    const place = JSON.stringify(mark);
    if (this.#marks.some(({ label, ...other }) => JSON.stringify(other) === place)) return;
    this.#marks.push({ ...mark, label: null });
    this.changed();
  }

  remove(mark) {
    this.#marks = this.#marks.filter((other) => other !== mark);
    this.changed();
  }

  clear() {
    this.#marks = [];
    this.changed();
  }

  /** To be called after a mark was changed in place: `typed` where its own inputs did it. */
  changed({ typed = false } = {}) {
    for (const listener of this.#listeners) listener({ typed });
  }

  /** A sentence about the first mark that says nothing, or null. */
  problem() {
    for (const mark of this.#marks) {
      const numbers = mark.span ?? mark.bbox ?? [mark.t_start, mark.t_end];
      if (!numbers.every(Number.isFinite) || numbers.some((number) => number < 0)) return "A mark has a number missing.";
      if (mark.kind === "span" && mark.span[0] >= mark.span[1]) return "A marked text ends before it starts.";
      if (mark.kind === "box" && (mark.bbox[2] <= 0 || mark.bbox[3] <= 0)) return "A marked box has no size.";
      if (mark.kind === "time" && mark.t_start > mark.t_end) return "A marked time ends before it starts.";
    }
    return null;
  }

  /** The three lists of `feedback/1`; a field or label that is not set is left out. */
  sent() {
    const set = (object) => Object.fromEntries(Object.entries(object).filter(([name, value]) => name !== "kind" && value !== null));
    return { spans: this.of("span").map(set), boxes: this.of("box").map(set), times: this.of("time").map(set) };
  }
}
