// One dead letter: its headers, and its value as text. A value is a whole post: it stays blurred until asked for.

import { button, fill, foreign, h, panel } from "./dom.js";
import { moment } from "./format.js";
import { postAddress } from "./router.js";
import { Veil } from "./veil.js";

export function letterDetail(letter, close) {
  const known = [
    ["Cause", letter.cause],
    ["Stage", letter.stage],
    ["Reason", letter.reason],
    ["Field", letter.field],
    ["Attempt", letter.attempt],
    ["Read from", letter.topic],
    ["Place", `${letter.partition}:${letter.offset}`],
    ["When", moment(letter.timestamp_ms)],
  ].filter(([, value]) => value !== null && value !== undefined);
  const value = h("pre", { class: "raw", tabindex: "0", dir: "auto", "aria-label": "The message's value" });
  fill(value, letter.value ?? "");
  const veil = new Veil(value, { what: "The message as it was received" });
  return panel(
    "Letter",
    { class: "letter-detail", end: [button({ name: "close", label: "Close the letter", class: "quiet small" }, close)] },
    h(
      "div",
      { class: "body" },
      h(
        "dl",
        { class: "pairs" },
        known.map(([name, what]) => [h("dt", {}, name), h("dd", {}, foreign(what))]),
        letter.post_id ? [h("dt", {}, "Post"), h("dd", {}, h("a", { href: postAddress(letter.post_id) }, foreign(letter.post_id)))] : null,
      ),
      h("section", {}, h("h3", {}, letter.truncated ? "Value, its first 64 KiB" : "Value"), letter.value === null ? h("p", { class: "muted" }, "None: a null value asks for the post's deletion.") : letter.value === "" ? h("p", { class: "muted" }, "Empty.") : veil.element),
      h(
        "section",
        {},
        h("h3", {}, "Headers"),
        h("dl", { class: "pairs small" }, Object.entries(letter.headers ?? {}).map(([name, text]) => [h("dt", { class: "mono" }, foreign(name)), h("dd", { class: "mono" }, foreign(text ?? "–"))])),
      ),
    ),
  );
}
