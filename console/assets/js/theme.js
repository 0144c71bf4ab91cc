// Dark or light: the system's until the person chooses, then what was chosen.

import { keep, kept } from "./storage.js";

const listeners = new Set();
const root = document.documentElement;

export const theme = () => root.dataset.theme;

/** Calls `listener` after each change; returns what stops that. */
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function toggleTheme() {
  const next = theme() === "dark" ? "light" : "dark";
  keep("theme", next);
  set(next);
}

function set(name) {
  root.dataset.theme = name;
  for (const listener of listeners) listener(name);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  if (kept("theme") === null) set(event.matches ? "dark" : "light");
});
