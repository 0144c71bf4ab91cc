"""Which lines are believed, which are known to be there and unread, and which are no lines at all.

The detector marks bricks and branches as well as writing. What decides about a line that cannot be read is whether it
is writing: dropped by mistake it would be approved unread, kept by mistake it would send a photograph to review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from processors.ocr.boxes import Quad
from processors.ocr.crops import side_lengths
from processors.ocr.options import OcrOptions
from processors.ocr.script import NO_WRITING

SURE_SCORE = 0.7
"""Detection score of a line that is there: of 762 lines read well in memes 98% have more; of marks on photographs that
are no writing one in two."""

LINE_ASPECT = 1.5
"""A line is wider than this by its height: single signs cannot be told from texture."""

READABLE_HEIGHT = 12.0
"""Pixels, with the margin that boxes have. Nobody reads smaller lines, people neither."""


LETTER_ASPECT = 2.0
"""Per letter read, a line is at most this many times as wide as high; of the same lines the widest has 1.23. A
recogniser that does not know the letters makes blanks of most of them, and is sure of the rest."""


ONE_SIGN = 4
"""Letters from which on a reading of a single sign, again and again (`000 00 0`), counts as none: so a recogniser sees
lines in scripts like Devanagari, and it may be sure of it (up to 0.93)."""


CERTAIN = 0.9
CERTAIN_OF_LOOKALIKES = 0.98
LOOKALIKES = frozenset({"Armn", "Cyrl", "Grek"})
"""Confidence of a reading that outweighs the script expert. Of 800 drawn lines in 20 scripts that the recogniser lacks
0.8% are read with 0.9 and more; of 120 in the three whose letters look like Latin ones 17%, and 4% with 0.98. Of lines
in memes 93% have 0.9, and 61% have 0.98."""


class Verdict(Enum):
    READ = "read"
    UNREAD = "unread"
    """Writing that could not be read."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, eq=False)
class FoundLine:
    """A line that was found, and what came of reading it."""

    quad: Quad
    """Clockwise from where its reading starts, in pixels of the picture."""
    score: float
    """Of the detection, 0..1."""
    text: str = ""
    """Empty where nothing was read."""
    confidence: float = 0.0
    """Of the reading, 0..1."""
    script: str | None = None
    """ISO 15924; None where no script expert was asked."""
    readable: bool = True
    """Whether somebody here reads its script; where nobody does, the text is what the recogniser makes of it."""


def judge(line: FoundLine, options: OcrOptions) -> Verdict:
    """What a line counts as."""
    width, height = side_lengths(line.quad)
    if line.readable:
        if _is_whole(line) and line.confidence >= options.min_confidence:
            return Verdict.READ if _letters(line.text) >= options.min_chars else Verdict.NOTHING
        clear = line.score >= SURE_SCORE and width >= LINE_ASPECT * height and line.script != NO_WRITING
    else:
        # The script expert knows writing when it sees it; single signs it may not.
        clear = line.score >= SURE_SCORE or width >= LINE_ASPECT * height
    return Verdict.UNREAD if clear and height >= READABLE_HEIGHT else Verdict.NOTHING


def overrules(line: FoundLine, script: str) -> bool:
    """Whether the recogniser's reading proves the script expert wrong, which takes the line for a script that is not
    read."""
    return _is_whole(line) and line.confidence >= (CERTAIN_OF_LOOKALIKES if script in LOOKALIKES else CERTAIN)


def _is_whole(line: FoundLine) -> bool:
    width, height = side_lengths(line.quad)
    return _letters(line.text) * LETTER_ASPECT * height >= width and not _is_one_sign(line.text)


def _is_one_sign(text: str) -> bool:
    signs = [character for character in text if character.isalnum()]
    return len(signs) >= ONE_SIGN and len(set(signs)) == 1


def _letters(text: str) -> int:
    return sum(not character.isspace() for character in text)


def coverage(quads: Sequence[Quad], width: int, height: int) -> float:
    """Share of the picture's area that the lines take, 0..1; where lines overlap it counts twice."""
    areas = (side_lengths(quad) for quad in quads)
    return min(1.0, sum(long * high for long, high in areas) / (width * height))
