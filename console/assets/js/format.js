// How numbers and times are written. What nobody measured is a dash, never a zero.

export const NONE = "–";

const known = (value) => typeof value === "number" && Number.isFinite(value);
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value) {
  return known(value) ? whole.format(value) : NONE;
}

/** Counts in narrow places: 12,345 is 12.3K. */
export function brief(value) {
  if (!known(value)) return NONE;
  return Math.abs(value) < 10_000 ? whole.format(value) : short.format(value);
}

/** Per second: one digit after the point below 100, none above. */
export function rate(value) {
  if (!known(value)) return NONE;
  return Math.abs(value) < 100 ? tenth.format(value) : whole.format(value);
}

export function mean(value) {
  return known(value) ? tenth.format(value) : NONE;
}

/** Seconds as a number and a unit: ["240", "ms"], ["1.24", "s"], ["2:05", "min"], ["3:10", "h"]. */
export function durationParts(seconds) {
  if (!known(seconds)) return [NONE, ""];
  const ms = seconds * 1000;
  if (ms < 9.95) return [ms.toFixed(1), "ms"];
  if (ms < 999.5) return [ms.toFixed(0), "ms"];
  if (seconds < 9.995) return [seconds.toFixed(2), "s"];
  if (seconds < 99.95) return [seconds.toFixed(1), "s"];
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return [`${minutes}:${two(Math.round(seconds) % 60)}`, "min"];
  if (minutes < 48 * 60) return [`${Math.floor(minutes / 60)}:${two(minutes % 60)}`, "h"];
  return [whole.format(minutes / (24 * 60)), "days"];
}

export function duration(seconds) {
  const [number, unit] = durationParts(seconds);
  return unit ? `${number}\u00a0${unit}` : number;
}

/** A place in a sound or video: 1:04.2. */
export function position(seconds) {
  if (!known(seconds)) return NONE;
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = (tenths - minutes * 600) / 10;
  return `${minutes}:${rest < 10 ? "0" : ""}${rest.toFixed(1)}`;
}

/** A probability as the decision has it: three digits after the point. */
export function probability(value) {
  return known(value) ? value.toFixed(3) : NONE;
}

/** A probability in short: 0.91. */
export function score(value) {
  return known(value) ? value.toFixed(2) : NONE;
}

export function percent(part, all) {
  if (!known(part) || !known(all) || all <= 0) return NONE;
  const share = (100 * part) / all;
  if (share > 0 && share < 0.1) return "<0.1%";
  return `${share < 10 ? share.toFixed(1) : share.toFixed(0)}%`;
}

/** The time of day to the second; of another day its date and the minute. */
export function clock(ms) {
  if (!known(ms)) return NONE;
  const then = new Date(ms);
  const minute = `${two(then.getHours())}:${two(then.getMinutes())}`;
  if (then.toDateString() === new Date().toDateString()) return `${minute}:${two(then.getSeconds())}`;
  return `${MONTHS[then.getMonth()]} ${then.getDate()}, ${minute}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Date and time to the millisecond, with its zone, for tooltips and details. */
export function moment(ms) {
  if (!known(ms)) return NONE;
  const then = new Date(ms);
  const offset = -then.getTimezoneOffset();
  const zone = offset === 0 ? "UTC" : `UTC${offset < 0 ? "−" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${day(then)} ${clockOf(then)} ${zone}`;
}

/** Date and time to the second. */
export function second(ms) {
  return known(ms) ? moment(ms).slice(0, 19) : NONE;
}

/** RFC 3339 to milliseconds; null where it is none. */
export function parseTime(text) {
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** snake_case names of the API as words. */
export function words(name) {
  return String(name).replaceAll("_", " ");
}

const two = (number) => String(number).padStart(2, "0");
const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const clockOf = (date) =>
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
