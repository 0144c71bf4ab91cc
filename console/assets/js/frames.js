// A video as the frames that the chain looked at, or a long picture as its parts: one large, all to choose from.

import { h } from "./dom.js";
import { position } from "./format.js";
import { Picture } from "./picture.js";

export function framesOf(item, parts, about, pointer, form) {
  const timed = parts.every(({ t }) => typeof t === "number");
  const name = (part) => (timed ? `at ${position(part.t)}` : `part ${parts.indexOf(part) + 1} of ${parts.length}`);
  const picture = new Picture({ pointer, form, mediaId: item.media_id });
  const boxed = (part) => about.filter((piece) => piece.bbox && belongs(piece, part, parts, timed));

  const tabs = parts.map((part) => {
    const hits = boxed(part).length;
    return h(
      "button",
      { type: "button", class: "frame-tab", data: { at: part.t ?? "" }, "aria-label": `Show ${name(part)}${hits ? `, with ${hits} of the evidence` : ""}`, on: { click: () => choose(part) } },
      h("img", { src: part.src, alt: "", loading: "lazy", width: part.width, height: part.height }),
      h("span", {}, timed ? position(part.t) : parts.indexOf(part) + 1, hits ? h("b", { class: "frame-hits" }, hits) : null),
    );
  });

  function choose(part) {
    tabs.forEach((tab, index) => tab.setAttribute("aria-pressed", String(parts[index] === part)));
    picture.show(part, `${timed ? "Frame" : "Picture"} of ${item.media_id ?? "this item"}, ${name(part)}`);
    picture.setEvidence(boxed(part));
  }

  choose(parts[0]);
  pointer.on(({ index, jump }) => {
    const piece = about.find((one) => one.index === index);
    const part = piece && parts.find((one) => belongs(piece, one, parts, timed));
    if (jump && part) choose(part);
  });
  return {
    element: h("div", { class: "frames" }, picture.element, h("div", { class: "frame-tabs", role: "group", "aria-label": timed ? "Frames" : "Parts" }, tabs)),
    picture,
  };
}

/** Whether a piece of evidence is to be seen on a part: on the frame nearest in time, on the part that its middle is in. */
function belongs(piece, part, parts, timed) {
  if (timed) {
    if (typeof piece.t_start !== "number") return true;
    return parts.reduce((best, one) => (Math.abs(one.t - piece.t_start) < Math.abs(best.t - piece.t_start) ? one : best)) === part;
  }
  if (!piece.bbox) return false;
  const [x, y] = [piece.bbox[0] + piece.bbox[2] / 2, piece.bbox[1] + piece.bbox[3] / 2];
  const [left, top] = part.origin ?? [0, 0];
  const scale = part.scale ?? 1;
  return left <= x && x <= left + part.width * scale && top <= y && y <= top + part.height * scale;
}
