// Single keys and `g x` sequences, and the overlay that lists them. Views add theirs while they are shown.

import { button, h } from "./dom.js";
import { keep, kept } from "./storage.js";

// After `g`, how long the second key may take.
const SEQUENCE_MS = 1500;

const shortcuts = [];
let waitingSince = null;
let overlay = null;

/**
 * Adds `[{keys, does, run, group}]`; `keys` is one key ("p") or two ("g o"). Returns what removes them again. A later one
 * of the same keys goes before an earlier one.
 */
export function addShortcuts(group, added) {
  const entries = added.map((shortcut) => ({ group, ...shortcut }));
  shortcuts.unshift(...entries);
  return () => {
    for (const entry of entries) shortcuts.splice(shortcuts.indexOf(entry), 1);
  };
}

const enabled = () => kept("shortcuts") !== "off";

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("textarea, select, input:not([type=radio], [type=checkbox])"));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    if (typing(event.target)) event.target.blur();
    return;
  }
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    showKeys();
    return;
  }
  if (!enabled()) return;
  const second = waitingSince !== null && performance.now() - waitingSince < SEQUENCE_MS;
  waitingSince = null;
  const keys = second ? `g ${event.key}` : event.key;
  const found = shortcuts.find((shortcut) => shortcut.keys === keys);
  if (found) {
    event.preventDefault();
    found.run();
  } else if (event.key === "g") {
    waitingSince = performance.now();
  }
});

export function showKeys() {
  overlay?.remove();
  const groups = new Map([["Everywhere", []]]);
  for (const shortcut of shortcuts.filter(({ silent }) => !silent)) {
    if (!groups.has(shortcut.group)) groups.set(shortcut.group, []);
    groups.get(shortcut.group).push(shortcut);
  }
  groups.get("Everywhere").push({ keys: "?", does: "These keys" }, { keys: "Esc", does: "Leave a field, close" });
  const toggle = h("input", {
    type: "checkbox",
    checked: enabled(),
    on: { change: (event) => keep("shortcuts", event.target.checked ? "on" : "off") },
  });
  overlay = h(
    "dialog",
    { "aria-labelledby": "keys-title", id: "keys" },
    h("header", {}, h("h2", { id: "keys-title" }, "Keyboard"), button({ name: "close", label: "Close", class: "quiet" }, () => overlay.close())),
    h(
      "div",
      { class: "body" },
      h("div", { class: "keys" }, [...groups].map(([group, entries]) => h("section", {}, h("h3", {}, group), h("ul", {}, entries.map(line))))),
      h("label", {}, toggle, " Single-key shortcuts are on"),
    ),
  );
  overlay.addEventListener("close", () => overlay.remove());
  document.body.append(overlay);
  overlay.showModal();
}

function line({ keys, does }) {
  return h("li", {}, h("span", {}, does), h("span", {}, keys.split(" ").map((key, index) => [index ? " " : null, h("kbd", {}, key)])));
}
