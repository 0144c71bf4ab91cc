"""The lines read in a post's pictures as one text field, and the segments heard in its sound as another: each line and
each segment keeps its place in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from processors.pack.features import count_letters
from schemas import AsrSection, OcrSection

Place = tuple[int, int]
"""[start, end) in code points of the joined text."""


@dataclass(frozen=True, slots=True)
class JoinedText:
    """The field `ocr` or `asr`, as if it had been posted."""

    text: str
    places: tuple[Place, ...]
    """Of each line of `OcrSection.lines`, or segment of `AsrSection.segments`."""

    def to_score(self, most: int) -> dict[int, Place]:
        """The places that get a window of their own, by their numbers; if there are more than `most`, those with the
        most letters, which have the most to say. A single place has none: the windows over the whole read it. Nor has
        one without letters."""
        if len(self.places) < 2:
            return {}
        letters = {at: count_letters(self.text[slice(*place)]) for at, place in enumerate(self.places)}
        spoken = sorted((at for at in letters if letters[at]), key=lambda at: (-letters[at], at))
        return {at: self.places[at] for at in sorted(spoken[:most])}


def join_lines(section: OcrSection | None) -> JoinedText:
    """All lines in reading order."""
    return _join(line.text for _, line in section.lines) if section is not None else _join(())


def join_segments(section: AsrSection | None) -> JoinedText:
    """All segments to be trusted, in the order of media items and time."""
    return _join(segment.text for _, segment in section.segments) if section is not None else _join(())


def _join(texts: Iterable[str]) -> JoinedText:
    """With line breaks between them."""
    parts = list(texts)
    places: list[Place] = []
    start = 0
    for part in parts:
        places.append((start, start + len(part)))
        start += len(part) + 1
    return JoinedText("\n".join(parts), tuple(places))
