"""What a picture costs that the OCR stage has read before: everybody posts the same memes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.readers import drawn, found, ocr_stage
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, spread

NAME = "cache"
REQUIRED_RATIO = 20.0
PICTURES, QUICK_PICTURES = 16, 2
"""In a round, all of them new."""
ROUNDS = 5


def run(folder: Path, pictures: Path | None, *, quick: bool, say: Callable[[str], None]) -> Report:
    """`pictures`: a folder of them; None draws some. Raises `SubjectFailed` and `TooFewPictures`."""
    count, rounds = (QUICK_PICTURES, 1) if quick else (PICTURES, ROUNDS)
    wanted = count * (rounds + 1)
    files = drawn(folder / "drawn", wanted) if pictures is None else found(pictures, folder / "found", wanted)
    new, repeated = list[float](), list[float]()
    with ocr_stage(folder, cache=True) as reader:
        say("cache: warming up")
        reader.read(files[:count])
        for number in range(rounds):
            say(f"cache, round {number + 1} of {rounds}")
            batch = files[(number + 1) * count : (number + 2) * count]
            for times in (new, repeated):
                times.append(reader.read(batch).seconds / count * 1000)
    return report(new, repeated)


def report(new_ms: list[float], repeated_ms: list[float]) -> Report:
    """The report on these rounds, in milliseconds for a picture."""
    ratio = digits(median(new_ms) / median(repeated_ms), 3)
    figures: dict[str, Any] = {"new_ms": spread(new_ms), "repeated_ms": spread(repeated_ms), "ratio": ratio}
    rows = [("new", *spread(new_ms).values()), ("repeated", *spread(repeated_ms).values())]
    table = Table("cache: a picture through the OCR stage, ms", ("picture", "median", "least", "most"), rows)
    return Report(NAME, figures, (table,), (Target("a repeated picture by a new one", ratio, REQUIRED_RATIO),))
