// Addresses are `#/name/argument?filters`: the server serves one page, and every view can be linked to.

/** {name, argument, query} of the address; the overview where there is none. */
export function route(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name = "", ...rest] = path.split("/");
  return { name: name || "overview", argument: decode(rest.join("/")), query: Object.fromEntries(new URLSearchParams(query)) };
}

export function addressOf(name, argument = "", query = {}) {
  const set = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const path = `#/${name}${argument === "" ? "" : `/${encodeURIComponent(argument)}`}`;
  return set.length ? `${path}?${new URLSearchParams(set)}` : path;
}

export const postAddress = (postId) => addressOf("post", String(postId));

export function go(address) {
  location.hash = address;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Typed by hand, with a stray `%`.
  }
}
