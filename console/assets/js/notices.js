// What a person should know first: the link, Kafka, the workers, lag that grows.

import { banner, fill } from "./dom.js";
import { duration, plural } from "./format.js";

/** What a person should know first, or nothing. Rewritten only when it changes: it is read aloud. */
export function drawNotice(place, state, growing, live) {
  const notice = noticeOf(state, growing, live);
  const key = notice ? notice.key : "";
  if (place.dataset.key === key) {
    const second = place.querySelector(".banner p + p");
    if (notice?.second && second) second.textContent = notice.second;
    return;
  }
  place.dataset.key = key;
  fill(place, notice ? banner(notice.kind, notice.first, notice.second) : null);
}

function noticeOf(state, growing, live) {
  if (live.link === "lost") {
    return { key: "lost", kind: "bad", first: "The connection to the console's server is lost; trying again.", second: state ? "The numbers below are the last that came." : "Is it still running? modstream console, or modstream up." };
  }
  if (live.link === "stale") {
    return { key: "stale", kind: "warn", first: "The console's server is connected, and says nothing.", second: "The numbers below are the last that came." };
  }
  if (state === null) return null;
  if (state.kafka_answers === false) {
    return {
      key: "no-kafka",
      kind: "bad",
      first: "Kafka does not answer the console: lag is not known, and no new decision or dead letter shows.",
      second: "Posts can be looked up again when it answers; the console tries by itself.",
    };
  }
  if (state.workers.up === 0 && state.workers.expected === null && !state.workers.unreachable?.length) {
    return {
      key: "no-worker-named",
      kind: "warn",
      first: "No worker is known to the console: rates and latencies are not known.",
      second: "Tell it where they are (MODSTREAM_CONSOLE__WORKERS); start one with “modstream worker all”.",
    };
  }
  if (state.workers.up === 0) {
    return {
      key: "no-workers",
      kind: "bad",
      first: "No worker answers: posts wait in Kafka, nothing is lost and nothing is decided.",
      second: "Start one with “modstream worker all”, or tell the console where they are (MODSTREAM_CONSOLE__WORKERS).",
    };
  }
  if (growing.length > 0) {
    const worst = growing.reduce((most, stage) => ((stage.lag_messages ?? 0) > (most.lag_messages ?? 0) ? stage : most));
    return {
      key: `growing ${growing.map(({ stage, lane }) => `${stage}/${lane}`).join(" ")}`,
      kind: "warn",
      first: `Lag is growing at ${growing.map(({ stage }) => stage).join(", ")}.`,
      second: `${worst.stage}: ${plural(worst.lag_messages, "message")} behind, the oldest waits for ${duration(worst.lag_s)}.${worst.workers === 0 ? " No worker runs this stage." : ""}`,
    };
  }
  if (state.workers.unreachable?.length > 0) {
    return {
      key: `unreachable ${state.workers.unreachable.join(" ")}`,
      kind: "warn",
      first: `${plural(state.workers.unreachable.length, "worker does", "workers do")} not answer; the numbers below are without ${state.workers.unreachable.length === 1 ? "it" : "them"}.`,
      second: state.workers.unreachable.join(", "),
    };
  }
  return null;
}
