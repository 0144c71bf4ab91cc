// The overview: is it well, how fast is it, where does it wait, what does it decide.

import { get, Refused } from "./api.js";
import { timeChart } from "./charts.js";
import { decisionRow, flagRow, rowKeys } from "./decision-rows.js";
import { button, empty, fill, h, icon, panel } from "./dom.js";
import { brief, count, duration, durationParts, percent, plural, rate, words } from "./format.js";
import { addShortcuts } from "./keyboard.js";
import { LiveList } from "./live-list.js";
import { drawNotice } from "./notices.js";
import { Past } from "./past.js";
import { rememberPosts } from "./post-queue.js";
import { addressOf } from "./router.js";
import { StageTable } from "./stage-table.js";
import { Tile } from "./tile.js";

const DECISIONS_SHOWN = 40;
const FLAGS_SHOWN = 12;
const ACTIONS = ["approve", "review", "block"];

const WHY = {
  posts: "No worker has reported how many posts it took in.",
  decided: "No worker has reported how many posts it decided.",
  latency: "No post was decided in the last minutes, so none was timed.",
  lag: "The broker did not say how far the stages are behind.",
  letters: "The dead letters could not be counted.",
  workers: "No worker is known to the console.",
};

export function overviewView(place, { session, live }) {
  const past = new Past(["posts_per_s", "decided_per_s", "p95_s"]);
  const tiles = {
    posts: new Tile("Posts in", WHY.posts),
    decided: new Tile("Decided", WHY.decided),
    latency: new Tile("End to end, p95", WHY.latency),
    lag: new Tile("Furthest behind", WHY.lag),
    letters: new Tile("Dead letters, 1 h", WHY.letters),
    workers: new Tile("Workers", WHY.workers),
  };
  const throughput = timeChart({
    past,
    format: rate,
    label: "Posts taken in and posts decided a second, over the last 15 minutes",
    series: [
      { name: "decided_per_s", label: "Decided/s", color: "--series-1", filled: true },
      { name: "posts_per_s", label: "Posts/s", color: "--series-2" },
    ],
  });
  const latency = timeChart({
    past,
    format: duration,
    label: "95th percentile of the time from a post's arrival to its decision, over the last 15 minutes",
    series: [{ name: "p95_s", label: "p95", color: "--series-3", filled: true }],
  });
  const stages = new StageTable();
  const lanes = h("div", { class: "lanes" });
  const mix = h("div", { class: "body" });
  const letters = h("div", { class: "body" });
  const notice = h("div", { role: "status", class: "notices" });
  const held = h("span", { class: "held", role: "status" });
  const decisions = new LiveList({
    row: decisionRow,
    kept: DECISIONS_SHOWN,
    nothing: empty("No decision yet. They appear here as they are made.", "modstream publish examples/posts.jsonl"),
    onHold: (text) => {
      if (held.textContent !== (text ?? "")) held.textContent = text ?? "";
    },
  });
  const flags = new LiveList({ row: flagRow, kept: FLAGS_SHOWN, nothing: empty("No flag was raised lately. They appear here as they are.") });
  const pause = button({ name: "pause", text: "Pause", class: "small", "aria-pressed": "false" }, () => togglePause());
  const togglePause = () => {
    decisions.paused = !decisions.paused;
    fill(pause, icon(decisions.paused ? "play" : "pause"), decisions.paused ? "Go on" : "Pause");
    pause.setAttribute("aria-pressed", String(decisions.paused));
  };

  fill(
    place,
    h("h1", { class: "only-read" }, "Overview"),
    notice,
    h("div", { class: "tiles" }, Object.values(tiles).map((tile) => tile.element)),
    h(
      "div",
      { class: "board" },
      panel("Throughput", { id: "throughput", class: "wide", end: h("span", {}, "last 15 minutes") }, h("div", { class: "body" }, throughput.element)),
      panel("Latency, end to end", { id: "latency", class: "narrow", end: h("span", {}, "arrival to decision") }, h("div", { class: "body" }, latency.element, lanes)),
      panel("Stages", { id: "stages", class: "wide", end: h("span", {}, "queue and compute: p95 of the last minutes") }, stages.element),
      h(
        "div",
        { class: "narrow stack" },
        panel("Decisions", { id: "mix", end: h("span", {}, "last 5 minutes") }, mix),
        panel("Dead letters by cause", { id: "letters", end: session.may.dead_letters ? h("a", { href: "#/dead-letters" }, "All") : h("span", {}, "last hour") }, letters),
      ),
      panel("Live decisions", { id: "stream", class: "wide", end: [held, pause] }, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Live decisions" }, decisions.element)),
      panel("Newest flags", { id: "flags", class: "narrow" }, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Newest flags" }, flags.element)),
    ),
  );

  const draw = (state) => {
    place.classList.remove("is-old");
    const growing = stages.update(state);
    past.add(state.at_ms, { posts_per_s: state.posts_per_s, decided_per_s: state.decided_per_s, p95_s: mainLane(state)?.p95_s ?? null });
    place.dataset.at = String(state.at_ms); // Which moment the numbers are of.
    drawTiles(tiles, state, past);
    throughput.draw();
    latency.draw();
    drawLanes(lanes, state.latency);
    drawMix(mix, state.decisions);
    drawLetters(letters, state.dead_letters, session);
    drawNotice(notice, state, growing, live);
  };
  const loadPast = async () => {
    try {
      const [history, recent, raised] = await Promise.all([get("history"), get("decisions", { limit: DECISIONS_SHOWN }), get("flags", { limit: FLAGS_SHOWN })]);
      past.load(history);
      stages.load(history);
      decisions.load(recent.decisions);
      flags.load(raised.flags);
      remember();
      throughput.draw();
      latency.draw();
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // What is live still shows; the link's state says the rest.
    }
  };
  const remember = () => rememberPosts([...decisions.list.querySelectorAll("a.row")].map((row) => row.dataset.post));

  let missed = false;
  const onState = (event) => draw(event.detail);
  const onDecision = (event) => decisions.add(event.detail);
  const onFlag = (event) => flags.add(event.detail);
  const onLink = () => {
    place.classList.toggle("is-old", live.link === "lost" || live.link === "stale");
    if (live.link !== "live") drawNotice(notice, live.state, [], live);
    if (live.link === "lost") missed = true;
    else if (live.link === "live" && missed) {
      missed = false;
      loadPast(); // What happened in between was told to nobody.
    }
  };
  live.addEventListener("state", onState);
  live.addEventListener("decision", onDecision);
  live.addEventListener("flag", onFlag);
  live.addEventListener("link", onLink);
  place.addEventListener("click", remember, { capture: true });
  const removeKeys = addShortcuts("Overview", [{ keys: "p", does: "Pause or go on", run: togglePause }, ...rowKeys(decisions.list)]);
  if (live.state) draw(live.state);
  onLink();
  loadPast();

  return () => {
    live.removeEventListener("state", onState);
    live.removeEventListener("decision", onDecision);
    live.removeEventListener("flag", onFlag);
    live.removeEventListener("link", onLink);
    removeKeys();
    decisions.end();
    flags.end();
    throughput.end();
    latency.end();
  };
}

/** The latencies that stand for the whole: the standard lane's, else the first. */
const mainLane = ({ latency }) => latency.find(({ lane }) => lane === "standard") ?? latency[0];

function drawTiles(tiles, state, past) {
  tiles.posts.show(state.posts_per_s, rate(state.posts_per_s), "/s", `peak ${rate(past.highest("posts_per_s"))}`);
  tiles.decided.show(state.decided_per_s, rate(state.decided_per_s), "/s", `peak ${rate(past.highest("decided_per_s"))}`);
  const lane = mainLane(state);
  tiles.latency.show(lane?.p95_s ?? null, ...durationParts(lane?.p95_s), lane ? `p50 ${duration(lane.p50_s)} · p99 ${duration(lane.p99_s)}` : "");
  // What waits for another try waits on purpose.
  const last = state.stages.filter(({ stage }) => stage !== "retry").reduce((worst, stage) => ((stage.lag_s ?? -1) > (worst?.lag_s ?? -1) ? stage : worst), null);
  tiles.lag.show(last?.lag_s ?? null, ...durationParts(last?.lag_s), last ? `${last.stage}${last.lane && last.lane !== "standard" ? ` ${last.lane}` : ""} · ${plural(last.lag_messages, "message")}` : "");
  const total = state.dead_letters.reduce((sum, letter) => sum + letter.count, 0);
  const worst = state.dead_letters.reduce((most, letter) => (letter.count > (most?.count ?? 0) ? letter : most), null);
  tiles.letters.show(total, count(total), "", worst ? `most: ${words(worst.cause)}` : "none");
  const { up, expected, unreachable = [] } = state.workers;
  tiles.workers.show(up, expected === null || expected === undefined ? count(up) : `${count(up)} of ${count(expected)}`, "", unreachable.length ? `${unreachable.length} unreachable` : "all answer");
  tiles.workers.element.classList.toggle("is-bad", up === 0 || unreachable.length > 0 || (typeof expected === "number" && up < expected));
}

function drawLanes(place, lanes) {
  if (lanes.length === 0) {
    fill(place, h("p", { class: "faint small", title: WHY.latency }, "No post was timed in the last minutes."));
    return;
  }
  const cell = (lane, name) => h("td", { class: "number", data: { field: name, value: lane[name] ?? "" }, title: lane[name] === null ? WHY.latency : null }, duration(lane[name]));
  fill(
    place,
    h(
      "table",
      { class: "lane-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Lane"), ["p50", "p95", "p99"].map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, lanes.map((lane) => h("tr", { data: { lane: lane.lane } }, h("th", { scope: "row" }, lane.lane), cell(lane, "p50_s"), cell(lane, "p95_s"), cell(lane, "p99_s")))),
    ),
  );
}

function drawMix(place, decisions) {
  const all = ACTIONS.reduce((sum, action) => sum + (decisions[action] ?? 0), 0);
  if (all === 0) {
    fill(place, h("p", { class: "muted" }, "No decision in the last 5 minutes."));
    return;
  }
  const bar = h("div", { class: "mix-bar", "aria-hidden": "true" });
  for (const action of ACTIONS) {
    const part = h("span", { class: `mix-part ${action}` });
    part.style.flexGrow = String(decisions[action] ?? 0); // Through the CSSOM: inline style attributes are not allowed here.
    bar.append(part);
  }
  fill(
    place,
    bar,
    h(
      "ul",
      { class: "mix-list" },
      ACTIONS.map((action) =>
        h(
          "li",
          { data: { action } },
          h("a", { class: `badge ${action}`, href: addressOf("decisions", "", { action }) }, action),
          h("span", { class: "number", data: { field: "count", value: decisions[action] ?? 0 } }, count(decisions[action] ?? 0)),
          h("span", { class: "number faint" }, percent(decisions[action] ?? 0, all)),
        ),
      ),
    ),
  );
}

function drawLetters(place, letters, session) {
  if (letters.length === 0) {
    fill(place, h("p", { class: "muted" }, "None in the last hour."));
    return;
  }
  const most = Math.max(...letters.map((letter) => letter.count));
  fill(
    place,
    h(
      "ul",
      { class: "cause-list" },
      [...letters].sort((a, b) => b.count - a.count).map((letter) => {
        const bar = h("span", { class: "cause-bar" });
        bar.style.width = `${(100 * letter.count) / most}%`;
        const name = h("span", { class: "clip" }, words(letter.cause), h("span", { class: "faint" }, ` at ${letter.stage}`));
        return h(
          "li",
          {},
          session.may.dead_letters ? h("a", { class: "plain-link clip", href: addressOf("dead-letters", "", { cause: letter.cause, stage: letter.stage }) }, name) : name,
          h("span", { class: "number" }, brief(letter.count)),
          bar,
        );
      }),
    ),
  );
}
