// The posts of the list that was last looked at, so that a reviewer goes from one to the next without the list.

import { go, postAddress } from "./router.js";

let ids = [];

export function rememberPosts(postIds) {
  ids = [...new Set(postIds)];
}

/** The post `by` places after `postId` in that list, or null. */
export function neighbour(postId, by) {
  const at = ids.indexOf(postId);
  return at === -1 ? null : (ids[at + by] ?? null);
}

export function goToNeighbour(postId, by) {
  const next = neighbour(postId, by);
  if (next !== null) go(postAddress(next));
}
