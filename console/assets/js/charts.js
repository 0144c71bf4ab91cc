// Lines over time (uPlot), and the small curves in tables (SVG).

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { fill, h, svg } from "./dom.js";
import { onTheme } from "./theme.js";

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * A chart of `series` ([{name, label, color: "--series-1", filled}]) over a `Past`; `format` writes a value. Returns
 * {element, draw(), end()}; `element` holds legend and plot, and the legend shows the value under the pointer or the last.
 */
export function timeChart({ past, series, format, label }) {
  const plotPlace = h("div", { class: "plot", role: "img", "aria-label": label });
  const values = series.map(({ name }) => h("span", { class: "legend-value", data: { series: name } }));
  const legend = h(
    "ul",
    { class: "legend" },
    series.map((one, index) => h("li", { data: { color: one.color } }, h("span", { class: `swatch swatch-${one.color.slice(2)}` }), one.label, values[index])),
  );
  const element = h("div", { class: "chart" }, legend, plotPlace);
  let plot = null;

  const data = () => [past.at, ...series.map(({ name }) => past.columns[name])];

  const say = () => {
    const at = plot?.cursor.idx ?? past.at.length - 1;
    series.forEach(({ name }, index) => {
      values[index].textContent = format(past.columns[name][at]);
    });
  };

  const make = () => {
    plot?.destroy();
    plot = new uPlot(options(), data(), plotPlace);
  };

  const options = () => ({
    width: Math.max(plotPlace.clientWidth, 120),
    height: plotPlace.clientHeight,
    legend: { show: false },
    padding: [8, 4, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.12 : 1] } },
    axes: [
      { stroke: color("--text-3"), grid: { show: false }, ticks: { show: false }, font: AXIS_FONT, size: 24, space: 80, values: times },
      {
        stroke: color("--text-3"),
        grid: { stroke: color("--grid"), width: 1 },
        ticks: { show: false },
        font: AXIS_FONT,
        size: 52,
        space: 36,
        values: (_, marks) => marks.map((mark) => (mark === 0 ? "0" : format(mark))),
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: color(one.color),
        width: 1.5,
        fill: one.filled ? `color-mix(in srgb, ${color(one.color)} 13%, transparent)` : undefined,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [say] },
  });

  const resized = new ResizeObserver(() => {
    if (plot === null) make();
    else plot.setSize({ width: Math.max(plotPlace.clientWidth, 120), height: plotPlace.clientHeight });
  });
  resized.observe(plotPlace);
  const stopTheme = onTheme(make);

  return {
    element,
    draw() {
      plot?.setData(data());
      say();
    },
    end() {
      resized.disconnect();
      stopTheme();
      plot?.destroy();
    },
  };
}

const AXIS_FONT = '11px Inter, "Segoe UI", system-ui, sans-serif';
const times = (_, marks) => marks.map((at) => new Date(at * 1000).toTimeString().slice(0, 5));

const CURVE = { width: 72, height: 20 };

/** A curve of `values` (null: not measured) from 0 to their largest, as wide as a word. */
export function curve(place, values) {
  const highest = Math.max(...values.map((value) => value ?? 0), 1e-9);
  const step = CURVE.width / Math.max(values.length - 1, 1);
  const points = values
    .map((value, index) => (value === null ? null : `${(index * step).toFixed(1)},${(CURVE.height - 1 - (value / highest) * (CURVE.height - 3)).toFixed(1)}`))
    .filter((point) => point !== null);
  if (points.length < 2) {
    fill(place);
    return;
  }
  const [line, area] = [`M${points.join("L")}`, `M${points[0].split(",")[0]},${CURVE.height}L${points.join("L")}L${points.at(-1).split(",")[0]},${CURVE.height}Z`];
  fill(
    place,
    svg("svg", { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, width: CURVE.width, height: CURVE.height, "aria-hidden": "true" }, svg("path", { d: area, class: "curve-area" }), svg("path", { d: line, class: "curve-line" })),
  );
}
