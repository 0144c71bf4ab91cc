// The start: who is there, the rail, and which view is shown.

import { get, Refused } from "./api.js";
import { banner, fill, h } from "./dom.js";
import { addShortcuts } from "./keyboard.js";
import { Live } from "./live.js";
import { go, route } from "./router.js";
import { toggleTheme } from "./theme.js";
import { loginView } from "./login.js";
import { Rail } from "./rail.js";
import { overviewView } from "./overview.js";
import { decisionsView } from "./decisions.js";
import { postView } from "./post.js";
import { deadLettersView } from "./dead-letters.js";

// A view takes the element to fill, the context {session, live, argument, query}, and returns what ends it.
const VIEWS = { overview: overviewView, decisions: decisionsView, post: postView, "dead-letters": deadLettersView };
const TITLES = { overview: "Overview", decisions: "Decisions", post: "Post", "dead-letters": "Dead letters" };

const main = document.getElementById("view");
const live = new Live();
let rail = null;
let session = null;
let end = () => {};

async function start() {
  try {
    session = await get("session");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) showLogin();
    else fill(main, banner("bad", error.message, "The page tries again in a few seconds."));
    if (error.status !== 401) setTimeout(start, RETRY_MS);
    return;
  }
  if (session.login_required && !session.role) {
    showLogin();
    return;
  }
  rail?.end();
  rail = new Rail(document.getElementById("rail"), { session, live });
  live.start();
  show();
}

// The server may just be starting.
const RETRY_MS = 3000;

function show() {
  if (session === null) return;
  end();
  const { name, argument, query } = route();
  const view = VIEWS[name];
  document.title = view ? `${TITLES[name]} · modstream` : "modstream";
  rail.at(name);
  const place = h("div", { class: `at-${view ? name : "nowhere"}` });
  fill(main, place);
  if (view) {
    end = view(place, { session, live, argument, query }) ?? (() => {});
  } else {
    end = () => {};
    fill(place, banner("", `There is no page “${name}”.`, "The overview is at the top of the menu."));
  }
  scrollTo(0, 0);
}

function showLogin() {
  end();
  end = () => {};
  live.stop();
  session = null;
  fill(document.getElementById("rail"));
  document.title = "Sign in · modstream";
  loginView(main, start);
}

addEventListener("hashchange", () => {
  show();
  main.focus({ preventScroll: true });
});
document.addEventListener("signed-out", () => {
  if (session !== null) showLogin();
});
// A stream that the server refused says not why; asking for the session does.
document.addEventListener("check-session", async () => {
  const now = await get("session").catch(() => null);
  if (session !== null && now?.login_required && !now.role) showLogin();
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // The hash is the route.
  main.focus();
});

addShortcuts("Everywhere", [
  { keys: "g o", does: "Overview", run: () => go("#/overview") },
  { keys: "g d", does: "Decisions", run: () => go("#/decisions") },
  { keys: "g l", does: "Dead letters", run: () => go("#/dead-letters") },
  { keys: "/", does: "Find a post by its id", run: () => document.getElementById("find")?.focus() },
  { keys: "t", does: "Dark or light", run: toggleTheme },
]);

start();
