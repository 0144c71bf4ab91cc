"""Writing that a moving picture shows in frame after frame becomes one line: in the first frame that shows it, with the
time of the last.

Lines are the same where their words are, wherever they stand, so that captions may move. At one place two readings of a
line may differ by a letter: then the surer one stands for both. Those that differ by more are two lines, and so are
short ones and those of which both readings are sure: a text that is dropped here is scored by nobody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.ocr.ctc import mean_confidence
from schemas import OcrLine, OcrPicture

SLIP_LETTERS = 8
"""Two readings of a line of this many letters may differ by one; in a shorter one a letter is much (`kill`, `kiss`). Of
50 memes, each shown four times a little moved, scaled and compressed, 561 of 648 pairs of readings at one place are
equal, 18 differ by one letter (eight of them so long) and five by two or three; the others are neighbouring lines."""

SURE = 0.98
"""Two readings that differ and have this confidence both are two lines: 61% of lines in memes have it."""

SAME_PLACE = 0.5
"""Share of the smaller box that two boxes at one place have in common at least."""


def merge_frames(pictures: Iterable[OcrPicture]) -> tuple[OcrPicture, ...]:
    """The pictures, where the frames of each media item list what is new in them; stills are left as they are.

    Frames in the order of time. Each line of a frame gets its `t_end`; a confidence is that of the lines still listed.
    """
    items: dict[str, tuple[_Shown, _Shown]] = {}
    frames: list[tuple[OcrPicture, list[_Writing], list[_Writing]] | OcrPicture] = []
    for picture in pictures:
        if picture.t is None:
            frames.append(picture)
        else:
            lines, unread = items.setdefault(picture.media_id, (_Shown(), _Shown()))
            frames.append((picture, lines.add(picture.lines, picture.t), unread.add(picture.unread, picture.t)))
    return tuple(frame if isinstance(frame, OcrPicture) else _with_lines(*frame) for frame in frames)


def _with_lines(picture: OcrPicture, lines: Sequence[_Writing], unread: Sequence[_Writing]) -> OcrPicture:
    listed = tuple(writing.line for writing in lines)
    confidence = mean_confidence([(line.text, line.confidence) for line in listed])
    return replace(
        picture,
        lines=listed,
        unread=tuple(writing.line for writing in unread),
        confidence=None if confidence is None else round(confidence, 4),
    )


@dataclass(slots=True, eq=False)
class _Writing:
    """A line as the frames so far show it."""

    line: OcrLine
    """Where the first frame has it, as the surest reading has it."""
    words: str
    """Of the first reading: what later ones are compared with, so that a line cannot drift into another."""
    box: tuple[float, float, float, float]
    """In the last frame that shows it."""

    def show(self, line: OcrLine, t: float) -> None:
        """Another frame shows it."""
        if line.confidence > self.line.confidence:
            self.line = replace(self.line, text=line.text, confidence=line.confidence, script=line.script)
        self.line = replace(self.line, t_end=t)
        self.box = line.bbox


@dataclass(slots=True, eq=False)
class _Shown:
    """What one media item has shown so far."""

    writings: list[_Writing] = field(default_factory=list["_Writing"])
    named: dict[str, list[_Writing]] = field(default_factory=dict[str, list["_Writing"]])
    """By the words of each of their readings."""

    def add(self, lines: Sequence[OcrLine], t: float) -> list[_Writing]:
        """Takes the lines of the frame at `t`; returns those that no earlier frame shows. What stands twice in a frame
        is two lines."""
        words = [words_of(line.text) for line in lines]
        earlier = self._by_words(lines, words)
        self._find_in_place(lines, words, earlier)
        new: list[_Writing] = []
        for at, line in enumerate(lines):
            if (writing := earlier.get(at)) is not None:
                writing.show(line, t)
            else:
                writing = _Writing(replace(line, t_end=t), words[at], line.bbox)
                new.append(writing)
            if line.text and writing not in (named := self.named.setdefault(words[at], [])):
                named.append(writing)
        self.writings += new
        return new

    def _by_words(self, lines: Sequence[OcrLine], words: Sequence[str]) -> dict[int, _Writing]:
        """Line -> the earlier one with its words, each once. Unread lines have no words to be known by."""
        found: dict[int, _Writing] = {}
        taken: set[int] = set()
        for at, line in enumerate(lines):
            known = self.named.get(words[at], ()) if line.text else ()
            writing = next((writing for writing in known if id(writing) not in taken), None)
            if writing is not None:
                found[at] = writing
                taken.add(id(writing))
        return found

    def _find_in_place(self, lines: Sequence[OcrLine], words: Sequence[str], found: dict[int, _Writing]) -> None:
        """Adds to `found` the lines that an earlier one at their place is another reading of."""
        boxes = np.array([writing.box for writing in self.writings], float).reshape(-1, 4)
        taken = set(map(id, found.values()))
        for at, line in enumerate(lines):
            if at in found:
                continue
            for number in np.flatnonzero(_shared(line.bbox, boxes) >= SAME_PLACE):
                writing = self.writings[number]
                if id(writing) not in taken and _is_reading_of(line, words[at], writing):
                    found[at] = writing
                    taken.add(id(writing))
                    break


def words_of(text: str) -> str:
    """What of a line is compared: its letters, marks, digits and symbols, without case; all of a line that has none."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LMNS") or folded


def is_slip(one: str, other: str) -> bool:
    """Whether the words of two readings are equal, or long and differ by one letter: another, one more or one less."""
    longer, shorter = sorted((one, other), key=len, reverse=True)
    if len(longer) < SLIP_LETTERS or len(longer) - len(shorter) > 1:
        return one == other
    same = next((at for at, (a, b) in enumerate(zip(longer, shorter, strict=False)) if a != b), len(shorter))
    rest = same if len(shorter) < len(longer) else same + 1
    return longer[same + 1 :] == shorter[rest:]


def _is_reading_of(line: OcrLine, words: str, writing: _Writing) -> bool:
    """Whether a line at the place of `writing` is the same one, read a little differently or not at all."""
    if not line.text:
        return line.script == writing.line.script
    return min(line.confidence, writing.line.confidence) < SURE and is_slip(words, writing.words)


def _shared(box: tuple[float, float, float, float], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """What `box` has in common with each of `boxes` [boxes, 4] (x, y, width, height), as a share of the smaller."""
    own = np.array(box, float)
    low = np.maximum(boxes[:, :2], own[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], own[:2] + own[2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    smaller = np.minimum(boxes[:, 2:].prod(axis=1), own[2:].prod())
    return common / np.maximum(smaller, 1e-9)
