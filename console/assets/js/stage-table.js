// One row a stage and lane: how fast, how far behind, and whether that grows.

import { curve } from "./charts.js";
import { fill, h } from "./dom.js";
import { count, duration, mean, rate } from "./format.js";
import { LagWatch } from "./lag-watch.js";

// Its messages wait for another try, on purpose and longer every second: that is no lag that grows.
const WAITS = "retry";

// What a dash in a column means.
const WHY = {
  records_per_s: "No worker of this stage has reported how many records it handled.",
  lag_messages: "The stage's group has committed no offsets yet, or the broker did not say.",
  lag_s: "The age of the oldest message that waits is not known.",
  queue_p95_s: "No record was handled lately, so none was seen waiting.",
  compute_p95_s: "No record was handled lately, so none was timed.",
  batch_mean: "No batch was handled lately.",
  workers: "No worker was asked: none is known to the console.",
};

const COLUMNS = [
  { name: "records_per_s", title: "Records/s", write: rate },
  { name: "queue_p95_s", title: "Queue p95", brief: "Queue", write: duration },
  { name: "compute_p95_s", title: "Compute p95", brief: "Compute", write: duration },
  { name: "batch_mean", title: "Batch", write: mean },
  { name: "workers", title: "Workers", write: count },
];

export class StageTable {
  #rows = new Map();
  #watches = new Map();
  #body = h("tbody", { role: "rowgroup" });

  constructor() {
    const head = (title, props = {}) => h("th", { scope: "col", role: "columnheader", ...props }, title);
    const number = { class: "number" };
    this.element = h(
      "table",
      { class: "grid-table stages", role: "table", "aria-label": "Stages" },
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          head("Stage"),
          head("Records/s", number),
          head("Lag", { class: "number", title: "Messages that wait for this stage, and the age of the oldest" }),
          head("Last 5 min", { class: "curve-head" }),
          ...COLUMNS.slice(1).map(({ title }) => head(title, number)),
        ),
      ),
      this.#body,
    );
  }

  /** Lags from before the page was opened: seconds by stage, at the times given. */
  load({ at_ms = [], lag_s = {} }) {
    for (const [stage, seconds] of Object.entries(lag_s)) {
      this.#watch(stage, "standard").remember(at_ms.map((at, index) => ({ at_ms: at, messages: null, seconds: seconds[index] ?? null })));
    }
  }

  /** Shows `stages` of a state; returns those whose lag grows, as [{stage, lane, lag_messages, lag_s}]. */
  update({ at_ms, stages }) {
    const growing = [];
    const shown = new Set();
    for (const stage of stages) {
      const key = `${stage.stage}/${stage.lane ?? ""}`;
      shown.add(key);
      const watch = this.#watch(stage.stage, stage.lane);
      watch.add(at_ms, stage.lag_messages, stage.lag_s);
      const growth = stage.stage === WAITS ? null : watch.growth();
      if (growth) growing.push(stage);
      if (!this.#rows.has(key)) this.#rows.set(key, new Row(stage));
      this.#rows.get(key).update(stage, growth, watch);
    }
    for (const key of this.#rows.keys()) if (!shown.has(key)) this.#rows.delete(key);
    const rows = stages.map((stage) => this.#rows.get(`${stage.stage}/${stage.lane ?? ""}`).element);
    if (rows.length !== this.#body.children.length || rows.some((row, index) => this.#body.children[index] !== row)) fill(this.#body, rows);
    return growing;
  }

  #watch(stage, lane) {
    const key = `${stage}/${lane ?? "standard"}`;
    if (!this.#watches.has(key)) this.#watches.set(key, new LagWatch());
    return this.#watches.get(key);
  }
}

class Row {
  #cells = Object.fromEntries(COLUMNS.map(({ name, title, brief = title }) => [name, h("td", { class: "number", role: "cell", data: { field: name, title: brief } })]));
  #messages = h("span", { class: "lag-messages", data: { field: "lag_messages" } });
  #seconds = h("span", { class: "lag-seconds", data: { field: "lag_s" } });
  #lanes = h("span", { class: "lag-lanes small faint", title: "Of these, in other lanes than the standard one" });
  #growing = h("span", { class: "badge plain review growing", hidden: true });
  #nobody = h("span", { class: "badge plain block", hidden: true }, "no worker");
  #curve = h("td", { class: "curve-cell", role: "cell" });

  constructor({ stage, lane }) {
    const { records_per_s, ...others } = this.#cells;
    this.element = h(
      "tr",
      { role: "row", data: { stage, lane: lane ?? "" } },
      h("th", { scope: "row", role: "rowheader" }, h("span", { class: "stage-name" }, stage), lane && lane !== "standard" ? h("span", { class: "tag" }, lane) : null, this.#nobody, this.#growing, this.#lanes),
      records_per_s,
      h("td", { class: "number lag", role: "cell", data: { title: "Lag" } }, this.#messages, this.#seconds),
      this.#curve,
      Object.values(others),
    );
  }

  update(stage, growth, watch) {
    for (const { name, write } of COLUMNS) put(this.#cells[name], name, stage[name], write(stage[name]));
    put(this.#messages, "lag_messages", stage.lag_messages, count(stage.lag_messages));
    const behind = (stage.lanes ?? []).filter((lane) => lane.lane !== "standard" && lane.lag_messages > 0);
    this.#lanes.textContent = behind.map((lane) => `${lane.lane} ${count(lane.lag_messages)}`).join(", ");
    put(this.#seconds, "lag_s", stage.lag_s, stage.lag_messages === 0 && !stage.lag_s ? "" : duration(stage.lag_s));
    this.#nobody.hidden = stage.workers !== 0;
    this.#growing.hidden = growth === null;
    this.element.classList.toggle("is-growing", growth !== null);
    if (growth) {
      const speed = growth.messages_per_s === null ? "" : ` +${rate(growth.messages_per_s)}/s`;
      this.#growing.textContent = `▲ growing${speed}`;
      this.#growing.title = "More arrives than this stage handles, for 20 seconds now.";
    }
    const samples = watch.samples;
    curve(this.#curve, samples.map(({ seconds, messages }) => seconds ?? messages));
  }
}

function put(element, name, value, text) {
  if (element.textContent !== text) element.textContent = text;
  element.dataset.value = value === null || value === undefined ? "" : String(value);
  if (value === null || value === undefined) element.title = WHY[name];
  else element.removeAttribute("title");
}
