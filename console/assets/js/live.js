// What the server tells by itself (server-sent events), and how fresh it is.
//
// States of the link: `connecting`, `live`, `stale` (open, but nothing came for a while), `lost` (trying again).

// `state` comes about once a second; five of them missing is no accident.
const STALE_MS = 5000;
const LOOK_MS = 1000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];

export class Live extends EventTarget {
  link = "connecting";
  /** When the last `state` came, by performance.now(); null before the first. */
  heardAt = null;
  /** The last `state`. */
  state = null;
  #source = null;
  #failures = 0;
  #timer = null;
  #retry = null;

  start() {
    this.stop();
    this.#open();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop() {
    this.#source?.close();
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
  }

  /** Seconds since the last `state`; null before the first. */
  age() {
    return this.heardAt === null ? null : (performance.now() - this.heardAt) / 1000;
  }

  #open() {
    const source = new EventSource("api/live");
    this.#source = source;
    for (const kind of ["state", "decision", "flag"]) source.addEventListener(kind, (event) => this.#hear(kind, event.data));
    source.addEventListener("error", () => this.#lose(source));
  }

  #hear(kind, data) {
    let detail;
    try {
      detail = JSON.parse(data);
    } catch {
      return; // A line cut off with the connection; the next one is whole.
    }
    if (kind === "state") {
      this.#failures = 0;
      this.heardAt = performance.now();
      this.state = detail;
      this.#become("live");
    }
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #lose(source) {
    this.#become("lost");
    // The browser tries again by itself, except where the answer was an error: then it gives up, and we do it.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    document.dispatchEvent(new CustomEvent("check-session"));
    const wait = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)];
    this.#failures += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #look() {
    const age = this.age();
    if (this.link === "live" && age !== null && age * 1000 > STALE_MS) this.#become("stale");
    this.dispatchEvent(new CustomEvent("tick"));
  }

  #become(link) {
    if (link === this.link) return;
    this.link = link;
    this.dispatchEvent(new CustomEvent("link"));
  }
}
