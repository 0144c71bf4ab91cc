// Elements are made here and nowhere else. Text is always a text node: whatever a post says, it is never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `props`: `class`, `data` (dataset), `on` (listeners), `value` and other properties of inputs by name,
 * anything else an attribute; null, undefined and false leave it out, true sets it empty. Children: nodes, strings,
 * numbers, arrays of them; null and false are skipped.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden"]);

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/** Puts `children` in the place of what `element` holds. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** An element of SVG with attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** One of icons.svg, for the eye only: what it means is said by text beside it or by a label. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true", focusable: "false" }, svg("use", { href: `assets/icons.svg#${name}` }));
}

/** A button with an icon, a word or both; without a word `label` is its name and its tooltip. */
export function button({ text, label, name, ...props }, onClick) {
  const wordless = text === undefined;
  return h(
    "button",
    {
      type: "button",
      ...props,
      class: `button ${props.class ?? ""}${wordless ? " icon-only" : ""}`,
      "aria-label": label,
      title: props.title ?? (wordless ? label : null),
      on: { click: onClick },
    },
    name ? icon(name) : null,
    text ?? null,
  );
}

/** A panel with a heading; `end` stands at the right of it. */
export function panel(title, { end = null, id = null, ...props } = {}, ...children) {
  const heading = h("h2", { id: id ? `${id}-title` : null }, title);
  return h(
    "section",
    { ...props, id, class: `panel ${props.class ?? ""}`, "aria-labelledby": id ? `${id}-title` : null, "aria-label": id ? null : title },
    h("header", {}, heading, end ? h("div", { class: "end" }, end) : null),
    ...children,
  );
}

/** Words of strangers (ids, names, readings): kept in their own direction, so that they cannot turn what is beside them. */
export function foreign(text, props = {}) {
  return h("bdi", props, String(text));
}

export function empty(sentence, command = null) {
  return h("div", { class: "empty" }, h("p", {}, sentence), command ? h("code", {}, command) : null);
}

export function banner(kind, first, second = null) {
  return h(
    "div",
    { class: `banner ${kind}` },
    icon("alert"),
    h("div", {}, h("p", {}, first), second ? h("p", { class: "small" }, second) : null),
  );
}

/** A short message at the corner; it goes by itself. */
export function toast(text, { bad = false } = {}) {
  const shown = h("div", { class: `toast${bad ? " bad" : ""}` }, text);
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), TOAST_MS);
}

// Long enough to read two lines.
const TOAST_MS = 7000;
