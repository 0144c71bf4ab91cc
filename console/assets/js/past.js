// The last 15 minutes as columns for charts: what the server remembers, and what it says from now on.

const KEPT_S = 15 * 60;
// Points come about once a second; over a longer pause the line is broken, not drawn through.
const GAP_S = 6;

export class Past {
  /** Seconds since the epoch, as uPlot wants them. */
  at = [];
  /** name -> values; null where nobody measured. */
  columns;

  constructor(names) {
    this.columns = Object.fromEntries(names.map((name) => [name, []]));
  }

  /** Takes the columns of `/api/history`, in place of what is here. */
  load(history) {
    this.at = (history.at_ms ?? []).map((ms) => ms / 1000);
    for (const name of Object.keys(this.columns)) {
      const given = history[name] ?? [];
      this.columns[name] = this.at.map((_, index) => given[index] ?? null);
    }
  }

  /** The largest value of a column; null where nobody measured. */
  highest(name) {
    const measured = this.columns[name].filter((value) => value !== null);
    return measured.length ? Math.max(...measured) : null;
  }

  /** Adds one point: {name: value}. */
  add(at_ms, values) {
    const at = at_ms / 1000;
    const last = this.at.at(-1);
    if (last !== undefined && at <= last) return;
    if (last !== undefined && at - last > GAP_S) this.#push(last + 1, {});
    this.#push(at, values);
    while (this.at[0] < at - KEPT_S) {
      this.at.shift();
      for (const column of Object.values(this.columns)) column.shift();
    }
  }

  #push(at, values) {
    this.at.push(at);
    for (const [name, column] of Object.entries(this.columns)) column.push(values[name] ?? null);
  }
}
