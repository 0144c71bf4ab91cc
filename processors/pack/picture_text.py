"""The lines read in a post's pictures as one text field, in which every line keeps its place."""

from __future__ import annotations

from dataclasses import dataclass

from processors.pack.features import count_letters
from schemas import OcrSection

Place = tuple[int, int]
"""[start, end) in code points of the joined lines."""


@dataclass(frozen=True, slots=True)
class PictureText:
    """The field `ocr`, as if it had been posted."""

    text: str
    places: tuple[Place, ...]
    """Of each line of `OcrSection.lines`."""

    def to_score(self, most: int) -> dict[int, Place]:
        """The lines that get a window of their own, by their numbers: each place once, and if there are more than
        `most`, those with the most letters, which have the most to say. A single line has none: the windows over all
        lines read it. Nor has one without letters."""
        letters = {place: count_letters(self.text[slice(*place)]) for place in self.places}
        spoken = [place for place in letters if letters[place]]
        if len(letters) < 2:
            return {}
        chosen = set(sorted(spoken, key=lambda place: (-letters[place], place))[:most])
        return {self.places.index(place): place for place in spoken if place in chosen}


def join_lines(section: OcrSection | None) -> PictureText:
    """All lines in reading order, with line breaks between them.

    A line that an earlier frame of the same media item has word for word is the same writing seen again: it stands in
    the text once, and shares its place with the first.
    """
    parts: list[str] = []
    places: list[Place] = []
    seen: dict[tuple[str, str], Place] = {}
    length = 0
    for picture, line in section.lines if section is not None else ():
        key = (picture.media_id, line.text)
        if picture.t is not None and key in seen:
            places.append(seen[key])
            continue
        start = length + 1 if parts else 0
        length = start + len(line.text)
        parts.append(line.text)
        places.append((start, length))
        seen[key] = places[-1]
    return PictureText("\n".join(parts), tuple(places))
