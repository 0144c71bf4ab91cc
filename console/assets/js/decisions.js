// The newest decisions, filtered. The filters are in the address: a filtered list can be sent to somebody.

import { get, Refused } from "./api.js";
import { decisionRow, rowKeys } from "./decision-rows.js";
import { banner, button, empty, fill, h, panel } from "./dom.js";
import { plural } from "./format.js";
import { addShortcuts } from "./keyboard.js";
import { rememberPosts } from "./post-queue.js";
import { addressOf, go } from "./router.js";

const SHOWN = 200;
const FIELDS = [
  { name: "flag", title: "Flag" },
  { name: "tenant", title: "Tenant" },
  { name: "lang", title: "Language" },
  { name: "post_id", title: "Post id", long: true },
];

export function decisionsView(place, { session, query }) {
  const list = h("ol", { class: "rows" });
  const result = h("div", {}, list);
  const tally = h("span", { role: "status" });
  let ended = false;

  const apply = (changes) => go(addressOf("decisions", "", { ...query, ...changes }));
  const action = (value, text) =>
    h("label", {}, h("input", { type: "radio", name: "action", value, checked: (query.action ?? "") === value, on: { change: () => apply({ action: value }) } }), h("span", {}, text));
  const inputs = FIELDS.map(({ name, title, long }) =>
    h("label", {}, title, h("input", { class: `field${long ? " long" : ""}`, name, value: query[name] ?? "", list: name === "flag" ? "flag-names" : null, autocomplete: "off", spellcheck: "false", maxlength: 256 })),
  );
  const submit = (event) => {
    event.preventDefault();
    apply(Object.fromEntries(inputs.map((label) => label.querySelector("input")).map((input) => [input.name, input.value.trim()])));
  };
  const filtered = ["action", ...FIELDS.map(({ name }) => name)].some((name) => query[name]);

  fill(
    place,
    h("div", { class: "head" }, h("h1", {}, "Decisions"), h("div", { class: "end" }, tally, button({ name: "replay", text: "Refresh", class: "small" }, () => load()))),
    h(
      "form",
      { class: "filters", on: { submit } },
      h("div", { class: "choices", role: "radiogroup", "aria-label": "Action" }, action("", "All"), session.actions.map((name) => action(name, name))),
      inputs,
      h("datalist", { id: "flag-names" }, session.labels.map((label) => h("option", { value: label }))),
      h("button", { class: "button", type: "submit" }, "Filter"),
      filtered ? h("a", { class: "button quiet", href: "#/decisions" }, "Clear") : null,
    ),
    panel("Newest first", { class: "decisions" }, result),
  );

  async function load() {
    try {
      const { decisions } = await get("decisions", { ...query, limit: SHOWN });
      if (ended) return;
      fill(list, decisions.map(decisionRow));
      rememberPosts(decisions.map((decision) => decision.post_id));
      tally.textContent = plural(decisions.length, "decision");
      fill(result, decisions.length ? list : nothing(filtered));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(result, banner("bad", error.message));
    }
  }

  load();
  const removeKeys = addShortcuts("Decisions", rowKeys(list));
  return () => {
    ended = true;
    removeKeys();
  };
}

function nothing(filtered) {
  return filtered
    ? empty("No decision that the console remembers fits these filters.")
    : empty("No decision yet. Publish some posts, and they appear here.", "modstream publish examples/posts.jsonl");
}
