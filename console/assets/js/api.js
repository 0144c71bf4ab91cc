// Every request of the page. Addresses are relative: the console may stand behind a path of another server.

/** An answer that is not 2xx, with the server's own sentence; status 0 where there was no answer at all. */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

// The console itself answers in milliseconds; a proxy in between may never.
const PATIENCE_MS = 20_000;

export const get = (path, query = {}) => request("GET", path + queryOf(query));
export const post = (path, body) => request("POST", path, body);

/** Where media and other addresses of the API's answers may point: this console's own media. Null for anything else. */
export function mediaAddress(src) {
  if (typeof src !== "string") return null;
  const relative = src.replace(/^\//, "");
  return relative.startsWith("api/media/") ? relative : null;
}

/** `?a=1&b=2` of what is set; empty values are left out. */
export function queryOf(query) {
  const set = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return set.length ? `?${new URLSearchParams(set)}` : "";
}

async function request(method, path, body) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json", "X-Modstream": "1" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Refused(0, "The console's server does not answer.");
  }
  const said = await answer.json().catch(() => null);
  if (answer.ok && said !== null) return said;
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("signed-out"));
  throw new Refused(answer.status, typeof said?.error === "string" ? said.error : `The server answered ${answer.status}.`);
}
