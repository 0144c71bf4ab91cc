// What a person chose, kept in the browser. Where storage is forbidden the choice lasts as long as the page.

const PREFIX = "modstream.";
const held = new Map();

export function keep(name, value, { session = false } = {}) {
  held.set(name, value);
  try {
    (session ? sessionStorage : localStorage).setItem(PREFIX + name, value);
  } catch {
    // Private windows and strict settings: `held` has it.
  }
}

export function kept(name, { session = false } = {}) {
  if (held.has(name)) return held.get(name);
  try {
    return (session ? sessionStorage : localStorage).getItem(PREFIX + name);
  } catch {
    return null;
  }
}
