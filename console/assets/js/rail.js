// The rail: where one can go, finding a post, how the link to the server is, and who is signed in.

import { post } from "./api.js";
import { button, fill, foreign, h, icon } from "./dom.js";
import { brief, duration } from "./format.js";
import { showKeys } from "./keyboard.js";
import { go, postAddress } from "./router.js";
import { onTheme, theme, toggleTheme } from "./theme.js";

const LINK_WORDS = { connecting: "Connecting", live: "Live", stale: "No news", lost: "Connection lost" };

export class Rail {
  #places = new Map();
  #stop = [];
  #tally;

  constructor(element, { session, live }) {
    const link = h("p", { class: "link-state", id: "link-state" }, h("span", { class: "dot" }), h("span", { class: "link-words" }));
    const themeButton = button({ name: "sun", label: "Dark or light", class: "quiet" }, toggleTheme);
    const drawTheme = () => fill(themeButton, icon(theme() === "dark" ? "sun" : "moon"));
    drawTheme();
    this.#tally = h("span", { class: "tally", hidden: true });
    fill(
      element,
      h("a", { class: "brand", href: "#/overview" }, h("img", { src: "assets/icon.svg", alt: "", width: 22, height: 22 }), "modstream"),
      findForm(),
      h(
        "nav",
        { class: "places", "aria-label": "Views" },
        this.#place("overview", "Overview"),
        this.#place("decisions", "Decisions"),
        session.may.dead_letters ? this.#place("dead-letters", "Dead letters", "letters", this.#tally) : null,
      ),
      h(
        "div",
        { class: "rail-end" },
        link,
        h(
          "div",
          { class: "who" },
          h("div", { class: "who-name" }, foreign(session.who, { class: "clip" }), h("span", { class: "small faint" }, session.role)),
          h(
            "div",
            { class: "tools" },
            themeButton,
            button({ name: "keyboard", label: "Keyboard shortcuts (?)", class: "quiet" }, showKeys),
            session.login_required ? button({ name: "leave", label: "Sign out", class: "quiet" }, signOut) : null,
          ),
        ),
      ),
    );
    const drawLink = () => {
      link.dataset.state = live.link;
      const age = live.age();
      const late = live.link !== "live" && age !== null ? ` · ${duration(age)} ago` : "";
      const words = link.querySelector(".link-words");
      if (words.textContent !== LINK_WORDS[live.link] + late) words.textContent = LINK_WORDS[live.link] + late;
      link.title = `modstream ${session.version}, group ${session.group}`;
    };
    drawLink();
    const drawTally = (event) => {
      const total = (event.detail.dead_letters ?? []).reduce((sum, { count }) => sum + count, 0);
      this.#tally.hidden = total === 0;
      this.#tally.textContent = brief(total);
      this.#tally.title = "Dead letters of the last hour";
    };
    live.addEventListener("link", drawLink);
    live.addEventListener("tick", drawLink);
    live.addEventListener("state", drawTally);
    this.#stop = [
      onTheme(drawTheme),
      () => live.removeEventListener("link", drawLink),
      () => live.removeEventListener("tick", drawLink),
      () => live.removeEventListener("state", drawTally),
    ];
  }

  end() {
    for (const stop of this.#stop) stop();
  }

  /** Marks where we are. */
  at(name) {
    for (const [place, link] of this.#places) {
      if (place === name || (place === "decisions" && name === "post")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #place(name, text, picture = name, tally = null) {
    const link = h("a", { href: `#/${name}` }, icon(picture), text, tally);
    this.#places.set(name, link);
    return link;
  }
}

function findForm() {
  const field = h("input", {
    class: "field",
    id: "find",
    type: "search",
    placeholder: "Find a post by id",
    "aria-label": "Find a post by id",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 256,
  });
  const submit = (event) => {
    event.preventDefault();
    const postId = field.value.trim();
    if (postId) go(postAddress(postId));
    field.blur();
  };
  return h("form", { class: "find", role: "search", on: { submit } }, icon("search"), field, h("kbd", { "aria-hidden": "true" }, "/"));
}

async function signOut() {
  await post("logout", {}).catch(() => null);
  location.reload();
}
