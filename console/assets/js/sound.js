// A sound and where in it the evidence is. Jumping there plays nothing.

import { fill, foreign, h } from "./dom.js";
import { position, score } from "./format.js";

/** `from`: the time, in the item, of the sound's first sample; `seconds`: the item's length where it is known. */
export function soundOf({ src, from, seconds }, about, pointer) {
  const stretches = about.filter((piece) => typeof piece.t_start === "number" && !piece.bbox);
  const player = h("audio", { src, controls: true, preload: "metadata", class: "player" });
  const track = h("div", { class: "track", role: "group", "aria-label": "Evidence in this sound" });
  const ends = stretches.map((piece) => piece.t_end ?? piece.t_start);

  const draw = () => {
    const length = seconds ?? (Number.isFinite(player.duration) ? from + player.duration : Math.max(...ends, 1));
    fill(
      track,
      stretches.map((piece) => {
        const said = `Evidence ${piece.index + 1} from ${position(piece.t_start)}${typeof piece.t_end === "number" ? ` to ${position(piece.t_end)}` : ""}, ${score(piece.score)}`;
        const part = h("button", { type: "button", class: "track-part", title: said, "aria-label": said, data: { evidence: piece.index }, on: { click: () => pointer.point(piece.index) } });
        part.style.left = `${(100 * piece.t_start) / length}%`;
        part.style.width = `${(100 * Math.max((piece.t_end ?? piece.t_start) - piece.t_start, 0)) / length}%`;
        return part;
      }),
    );
  };
  player.addEventListener("loadedmetadata", draw);
  draw();

  const places = h(
    "ul",
    { class: "stretches" },
    stretches.map((piece) =>
      h(
        "li",
        { data: { evidence: piece.index } },
        h("button", { type: "button", class: "stretch", on: { click: () => pointer.point(piece.index) } }, h("span", { class: "mono" }, position(piece.t_start)), foreign(piece.text ?? "", { class: "clip" }), h("span", { class: "number" }, score(piece.score))),
      ),
    ),
  );
  pointer.on(({ index, jump }) => {
    const piece = stretches.find((one) => one.index === index);
    for (const part of [...track.children, ...places.children]) part.classList.toggle("is-pointed", part.dataset.evidence === String(index));
    if (jump && piece) player.currentTime = Math.max(piece.t_start - from, 0);
  });
  return {
    element: h("div", { class: "sound" }, player, stretches.length ? track : null, places),
    end: () => {
      player.pause();
      player.removeAttribute("src");
    },
  };
}
