// What replaying will do, said before it is done.

import { h } from "./dom.js";
import { plural, words } from "./format.js";

// Sending these again as they are gives the same dead letter again, unless something was repaired in between.
const HOPELESS = {
  invalid_post: "no valid posts: they will fail again unless the code or its limits have changed",
  invalid_record: "no valid records: they will fail again unless the code has changed",
  too_large: "too large for their topic: they will fail again unless its limit has changed",
  crash_loop: "killed a worker before: be ready for it to happen again",
};

/** Resolves to whether the person wants to replay `letters`. */
export function askBeforeReplay(letters) {
  const causes = new Map();
  for (const { cause } of letters) causes.set(cause, (causes.get(cause) ?? 0) + 1);
  const stages = [...new Set(letters.map((letter) => letter.stage ?? "?"))];
  const dialog = h(
    "dialog",
    { "aria-labelledby": "replay-title", id: "replay-dialog" },
    h("header", {}, h("h2", { id: "replay-title" }, `Replay ${plural(letters.length, "dead letter")}?`)),
    h(
      "div",
      { class: "body" },
      h("p", {}, `Each goes back, byte for byte, to the topic it was read from, and runs the chain again from there (given up at ${stages.join(", ")}). What comes of it is published as any decision is; users may notice.`),
      h("p", {}, "The dead letters themselves stay in the list until retention removes them. One that was replayed before is left out."),
      h("ul", {}, [...causes].map(([cause, number]) => h("li", {}, h("b", {}, plural(number, "letter")), `, ${words(cause ?? "unknown")}${HOPELESS[cause] ? `: ${HOPELESS[cause]}.` : "."}`))),
    ),
    h(
      "footer",
      {},
      h("button", { class: "button", type: "button", on: { click: () => dialog.close("") } }, "Cancel"),
      h("button", { class: "button primary", type: "button", on: { click: () => dialog.close("replay") } }, `Replay ${plural(letters.length, "letter")}`),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "replay");
    });
  });
}
