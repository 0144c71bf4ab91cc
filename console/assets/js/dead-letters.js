// Messages that were given up: what and why, and sending them through the chain again.

import { get, post, Refused } from "./api.js";
import { banner, button, empty, fill, foreign, h, icon, panel } from "./dom.js";
import { clock, count, moment, plural, words } from "./format.js";
import { addShortcuts } from "./keyboard.js";
import { rowKeys } from "./decision-rows.js";
import { letterDetail } from "./letter-detail.js";
import { askBeforeReplay } from "./replay-dialog.js";
import { addressOf, go } from "./router.js";

const SHOWN = 200;
const STAGES = ["ingest", "fetch", "ocr", "asr", "pack", "encode", "fuse", "retry"];
const CAUSES = ["invalid_post", "invalid_record", "unsupported_version", "too_large", "poison", "crash_loop", "retries_exhausted"];

const placeOf = (letter) => `${letter.partition}/${letter.offset}`;

export function deadLettersView(place, { session, query }) {
  if (!session.may.dead_letters) {
    fill(place, h("div", { class: "head" }, h("h1", {}, "Dead letters")), banner("", `Dead letters hold whole messages; your role, ${session.role}, does not include them.`, "An operator's token does."));
    return () => {};
  }
  let letters = [];
  const chosen = new Set();
  const outcomes = new Map();
  let open = null;
  let ended = false;

  const list = h("ol", { class: "rows letters-list" });
  const result = h("div", {}, list);
  const detail = h("div", { class: "letter-place-detail" });
  const board = h("div", { class: "letters-board" });
  const tally = h("span", { role: "status" });
  const all = h("input", { type: "checkbox", "aria-label": "Choose all that are shown", on: { change: (event) => chooseAll(event.target.checked) } });
  const replay = button({ name: "replay", text: "Replay", class: "primary small", disabled: true }, () => ask());

  const select = (name, title, options) =>
    h(
      "label",
      {},
      title,
      h(
        "select",
        { class: "field", name, on: { change: (event) => go(addressOf("dead-letters", "", { ...query, [name]: event.target.value })) } },
        h("option", { value: "" }, "All"),
        options.map((option) => h("option", { value: option, selected: query[name] === option }, words(option))),
      ),
    );

  fill(board, panel("Newest first", { end: [tally, h("label", { class: "small" }, all, " All"), replay] }, result), detail);
  fill(
    place,
    h("div", { class: "head" }, h("h1", {}, "Dead letters"), h("div", { class: "end" }, button({ name: "replay", text: "Refresh", class: "small" }, () => load()))),
    h("div", { class: "filters" }, select("stage", "Stage", STAGES), select("cause", "Cause", CAUSES)),
    board,
  );

  async function load() {
    try {
      const answer = await get("dead-letters", { stage: query.stage, cause: query.cause, limit: SHOWN });
      if (ended) return;
      letters = answer.dead_letters;
      const here = new Set(letters.map(placeOf));
      for (const key of chosen) if (!here.has(key)) chosen.delete(key);
      tally.textContent = answer.total > letters.length ? `${count(letters.length)} of ${count(answer.total)}` : plural(answer.total, "letter");
      draw();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(result, banner("bad", error.message));
    }
  }

  function draw() {
    fill(list, letters.map(line));
    fill(result, letters.length ? list : empty(query.stage || query.cause ? "No dead letter fits these filters." : "No dead letters: every message was judged."));
    drawChoice();
  }

  function drawChoice() {
    replay.disabled = chosen.size === 0;
    fill(replay, icon("replay"), chosen.size ? `Replay ${count(chosen.size)}` : "Replay");
    all.checked = letters.length > 0 && chosen.size === letters.length;
    all.indeterminate = chosen.size > 0 && chosen.size < letters.length;
  }

  function line(letter) {
    const key = placeOf(letter);
    const outcome = outcomes.get(key);
    const choose = (event) => {
      if (event.target.checked) chosen.add(key);
      else chosen.delete(key);
      drawChoice();
    };
    return h(
      "li",
      { class: key === open ? "is-open" : "", data: { place: key } },
      h("label", {}, h("input", { type: "checkbox", checked: chosen.has(key), "aria-label": `Choose letter ${key}`, on: { change: choose } })),
      h(
        "button",
        { type: "button", class: "row letter-row", "aria-expanded": String(key === open), on: { click: () => show(letter) } },
        h("time", { class: "faint", title: moment(letter.timestamp_ms) }, clock(letter.timestamp_ms)),
        h("span", { class: "letter-cause" }, h("span", { class: "badge block plain" }, words(letter.cause ?? "unknown")), letter.replayed ? h("span", { class: "badge plain" }, "replayed") : null),
        foreign(letter.stage ?? "–", { class: "letter-stage muted" }),
        foreign(letter.reason ?? "", { class: "letter-reason clip", title: letter.reason }),
        foreign(letter.post_id ?? "–", { class: "letter-post mono clip" }),
        h("span", { class: "letter-place mono faint number", title: "Partition and offset" }, `${letter.partition}:${letter.offset}`),
      ),
      outcome ? h("p", { class: `outcome ${outcome.good ? "good" : "problem"}` }, outcome.text) : null,
    );
  }

  function chooseAll(yes) {
    chosen.clear();
    if (yes) for (const letter of letters) chosen.add(placeOf(letter));
    draw();
  }

  async function show(letter) {
    open = placeOf(letter);
    board.classList.add("has-detail");
    for (const item of list.children) {
      item.classList.toggle("is-open", item.dataset.place === open);
      item.querySelector("button.row").setAttribute("aria-expanded", String(item.dataset.place === open));
    }
    try {
      const full = await get(`dead-letters/${letter.partition}/${letter.offset}`);
      if (ended || open !== placeOf(letter)) return;
      fill(detail, letterDetail(full, close));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(detail, banner("bad", error.message));
    }
    if (!matchMedia("(min-width: 60rem)").matches) detail.scrollIntoView({ block: "start" });
  }

  function close() {
    const row = [...list.children].find((item) => item.dataset.place === open);
    open = null;
    fill(detail);
    board.classList.remove("has-detail");
    draw();
    [...list.children].find((item) => item.dataset.place === row?.dataset.place)?.querySelector("button.row").focus();
  }

  async function ask() {
    const these = letters.filter((letter) => chosen.has(placeOf(letter)));
    if (these.length === 0 || !(await askBeforeReplay(these))) return;
    replay.disabled = true;
    try {
      const answer = await post("dead-letters/replay", { places: these.map(({ partition, offset }) => [partition, offset]) });
      const failed = new Map(answer.failed.map(({ place: [partition, offset], why }) => [`${partition}/${offset}`, why]));
      for (const letter of these) {
        const why = failed.get(placeOf(letter));
        outcomes.set(placeOf(letter), why === undefined ? { good: true, text: "Sent through the chain again." } : { good: false, text: `Not replayed: ${why}` });
      }
      tally.textContent = `${count(answer.replayed)} replayed${answer.failed.length ? `, ${count(answer.failed.length)} not` : ""}`;
      chosen.clear();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tally.textContent = error.message;
    }
    draw();
  }

  load();
  const removeKeys = addShortcuts("Dead letters", [
    ...rowKeys(list),
    { keys: "x", does: "Choose this line", run: () => document.activeElement.closest?.(".letters-list li")?.querySelector("input").click() },
    { keys: "r", does: "Replay what is chosen", run: () => ask() },
  ]);
  return () => {
    ended = true;
    removeKeys();
  };
}
