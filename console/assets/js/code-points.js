// Places in text. The API counts Unicode code points, JavaScript counts UTF-16 units: every translation is here.

/**
 * `text` cut at the ends of `spans` ([{start, end, index}], in code points): [{text, indices}] in order, whose texts joined
 * are `text`; `indices` are those of the spans that cover a piece. Spans may overlap; what lies outside the text is cut off.
 */
export function cut(text, spans) {
  const points = Array.from(text);
  const clipped = spans
    .map(({ start, end, index }) => ({ start: clamp(start, points.length), end: clamp(end, points.length), index }))
    .filter(({ start, end }) => start < end);
  const ends = [...new Set([0, points.length, ...clipped.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const pieces = [];
  for (let at = 0; at + 1 < ends.length; at += 1) {
    const [start, end] = [ends[at], ends[at + 1]];
    pieces.push({
      text: points.slice(start, end).join(""),
      indices: clipped.filter((span) => span.start <= start && end <= span.end).map(({ index }) => index),
    });
  }
  return pieces;
}

/** How many code points `text` has. */
export function length(text) {
  let points = 0;
  for (const _ of text) points += 1;
  return points;
}

/** The selection's [start, end) in code points of the text that `place` holds; null where nothing of it is selected. */
export function selectedIn(place) {
  const selection = getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  if (!place.contains(range.startContainer) || !place.contains(range.endContainer)) return null;
  const before = document.createRange();
  before.selectNodeContents(place);
  before.setEnd(range.startContainer, range.startOffset);
  const start = length(before.toString());
  const end = start + length(range.toString());
  return start < end ? [start, end] : null;
}

// Characters that are not seen and change how text is read: zero-width ones and changes of direction. Not the joiner of
// emoji families (U+200D).
const HIDDEN = /[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

export function hiddenCharacters(text) {
  return text.match(HIDDEN)?.length ?? 0;
}

const clamp = (value, highest) => Math.min(Math.max(Math.trunc(Number(value)) || 0, 0), highest);
