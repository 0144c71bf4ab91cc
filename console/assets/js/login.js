// Signing in with a token. The token goes to the server once and is never kept by the page: a cookie that scripts cannot
// read holds the session.

import { post, Refused } from "./api.js";
import { fill, h } from "./dom.js";

export function loginView(place, done) {
  const field = h("input", { class: "field", id: "token", type: "password", autocomplete: "current-password", required: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      await post("login", { token: field.value });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      problem.textContent = error.message;
      field.select();
      return;
    }
    field.value = "";
    done();
  };
  fill(
    place,
    h(
      "form",
      { class: "login panel", on: { submit } },
      h("div", { class: "brand" }, h("img", { src: "assets/icon.svg", alt: "", width: 22, height: 22 }), "modstream"),
      h("h1", {}, "Sign in"),
      h("label", {}, h("span", { class: "small muted" }, "Access token"), field),
      problem,
      h("button", { class: "button primary", type: "submit" }, "Sign in"),
      h("p", { class: "small faint" }, "Whoever runs modstream hands out tokens; each has a role: viewer, reviewer or operator."),
    ),
  );
  field.focus();
}
