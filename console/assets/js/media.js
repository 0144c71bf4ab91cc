// The post's media, one panel each: pictures with boxes, frames of videos, sounds with their places.

import { mediaAddress } from "./api.js";
import { empty, foreign, h, panel } from "./dom.js";
import { position } from "./format.js";
import { framesOf } from "./frames.js";
import { Picture } from "./picture.js";
import { soundOf } from "./sound.js";
import { Veil } from "./veil.js";

const TITLES = { image: "Picture", video: "Video", audio: "Sound" };

export function mediaPanels({ media, evidence, pointer, form }) {
  const made = media.map((item) => one(item, evidence, pointer, form));
  return { elements: made.map(({ element }) => element), end: () => made.forEach(({ end }) => end()) };
}

function one(item, evidence, pointer, form) {
  const about = evidence.map((piece, index) => ({ ...piece, index })).filter((piece) => item.media_id !== null && piece.media_id === item.media_id);
  const seen = picturesOf(item, about, pointer, form);
  const heard = soundPart(item, about, pointer);
  const veil = seen || heard ? new Veil(h("div", { class: "media-parts" }, seen?.element, heard?.element), { what: `A ${TITLES[item.kind]?.toLowerCase() ?? "file"} of this post` }) : null;
  if (form && seen && item.media_id !== null) form.addPicture(item.media_id, seen.picture, veil);
  const about_it = [item.width && item.height ? `${item.width} × ${item.height}` : null, typeof item.seconds === "number" ? position(item.seconds) : null].filter(Boolean).join(" · ");
  const element = panel(
    TITLES[item.kind] ?? "File",
    { class: "media", end: [item.media_id === null ? h("span", {}, "not known which item") : foreign(item.media_id, { class: "mono clip media-id" }), about_it ? h("span", {}, about_it) : null] },
    veil ? h("div", { class: "media-body" }, veil.element, item.why_not ? h("p", { class: "small muted why-not" }, foreign(item.why_not)) : null) : empty(`Not shown: ${item.why_not ?? "nobody knows why"}.`),
  );
  element.dataset.media = item.media_id ?? "";
  pointer.on(({ index, jump }) => {
    if (jump && about.some((piece) => piece.index === index)) element.scrollIntoView({ block: "nearest" });
  });
  return { element, end: heard?.end ?? (() => {}) };
}

/** What can be seen of an item: {element, picture}, or null. */
function picturesOf(item, about, pointer, form) {
  const whole = { src: item.src, type: item.type, width: item.width, height: item.height };
  const given = item.frames?.length ? item.frames : item.kind === "image" ? [whole] : [];
  const parts = given.map((part) => ({ ...part, src: mediaAddress(part.src) })).filter(({ src, type }) => src !== null && (type ?? "").startsWith("image/"));
  if (parts.length === 0) return null;
  if (parts.length > 1) return framesOf(item, parts, about, pointer, form);
  const picture = new Picture({ pointer, form, mediaId: item.media_id });
  picture.show(parts[0], `${TITLES[item.kind] ?? "File"} ${item.media_id ?? ""} of the post`);
  picture.setEvidence(about.filter((piece) => piece.bbox));
  return { element: picture.element, picture };
}

function soundPart(item, about, pointer) {
  const given = item.sound ?? (item.kind === "audio" ? { src: item.src, type: item.type } : null);
  const src = mediaAddress(given?.src);
  if (src === null || !(given.type ?? "").startsWith("audio/")) return null;
  return soundOf({ src, from: given.t ?? 0, seconds: item.seconds ?? null }, about, pointer);
}
