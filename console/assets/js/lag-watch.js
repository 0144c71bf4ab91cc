// Whether a stage's lag grows. One sample says nothing: batches make every lag a saw.

// How far back growth is looked for, and how many samples (one a second) a verdict takes.
const WINDOW_MS = 20_000;
const FEWEST = 9;
// A smaller rise within the window is the ordinary breathing of batches.
const MESSAGES_FLOOR = 20;
const SECONDS_FLOOR = 3;
// What is kept for the small curve beside the numbers.
const KEPT_MS = 5 * 60_000;

export class LagWatch {
  /** [{at_ms, messages, seconds}], oldest first; numbers nobody measured are null. */
  samples = [];

  add(at_ms, messages, seconds) {
    const last = this.samples.at(-1);
    if (last && at_ms <= last.at_ms) return;
    this.samples.push({ at_ms, messages, seconds });
    while (this.samples[0].at_ms < at_ms - KEPT_MS) this.samples.shift();
  }

  /** Puts `samples` from before in front of those that are here. */
  remember(samples) {
    const first = this.samples[0]?.at_ms ?? Infinity;
    const end = this.samples.at(-1)?.at_ms ?? samples.at(-1)?.at_ms ?? 0;
    this.samples.unshift(...samples.filter(({ at_ms }) => at_ms < first && at_ms >= end - KEPT_MS));
  }

  /** {messages_per_s} where the lag grows (null if only seconds are known to grow), else null. */
  growth() {
    const end = this.samples.at(-1);
    if (!end) return null;
    const recent = this.samples.filter(({ at_ms }) => at_ms >= end.at_ms - WINDOW_MS);
    const messages = climb(recent, "messages", MESSAGES_FLOOR);
    const seconds = climb(recent, "seconds", SECONDS_FLOOR);
    return messages === null && seconds === null ? null : { messages_per_s: messages };
  }
}

/** The rise per second of `name` where it is at least `floor` and each third of the samples lies above the one before, else null. */
function climb(samples, name, floor) {
  const measured = samples.filter((sample) => typeof sample[name] === "number");
  if (measured.length < FEWEST) return null;
  const rise = measured.at(-1)[name] - measured[0][name];
  if (rise < floor) return null;
  const third = Math.floor(measured.length / 3);
  const [first, middle, last] = [0, 1, 2].map((part) => median(measured.slice(part * third, (part + 1) * third), name));
  if (!(first < middle && middle < last)) return null;
  return rise / ((measured.at(-1).at_ms - measured[0].at_ms) / 1000);
}

function median(samples, name) {
  const values = samples.map((sample) => sample[name]).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)];
}
