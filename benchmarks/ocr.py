"""Pictures a second through the OCR stage, and through PaddleOCR's own `predict`: same graphs, pictures and cores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.chain import MIB
from benchmarks.readers import Reader, alike, drawn, found, ocr_stage, paddleocr
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, spread
from processors.cores import usable_cores
from streams.settings import load_settings

NAME = "ocr"
REQUIRED_RATIO = 1.3
PICTURES, QUICK_PICTURES = 48, 4
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One reader's rounds."""

    per_second: list[float]
    lines: list[list[str]]
    """Of each picture."""
    peak_rss_bytes: int


def run(folder: Path, python: Path, pictures: Path | None, *, quick: bool, say: Callable[[str], None]) -> Report:
    """`python`: of the environment that PaddleOCR is in. `pictures`: a folder of them; None draws some.

    Raises `SubjectFailed` and `TooFewPictures`.
    """
    count, rounds = (QUICK_PICTURES, 1) if quick else (PICTURES, ROUNDS)
    files = drawn(folder / "drawn", count) if pictures is None else found(pictures, folder / "found", count)
    models = load_settings().settings.pack / "ocr"
    with (
        ocr_stage(folder, cache=False) as ours,
        paddleocr(folder, python, models, usable_cores()) as theirs,
    ):
        readers: list[Reader] = [ours, theirs]
        say(f"ocr: {count} pictures once, to warm up and to compare")
        lines = {id(reader): reader.read(files).lines for reader in readers}
        rates: dict[int, list[float]] = {id(reader): [] for reader in readers}
        for number in range(rounds):
            say(f"ocr, round {number + 1} of {rounds}")
            for reader in readers:
                rates[id(reader)].append(count / reader.read(files).seconds)
            readers.reverse()  # neither always comes first
        stage, paddle = (
            Measured(rates[id(reader)], lines[id(reader)], reader.peak_rss_bytes) for reader in (ours, theirs)
        )
    return report(stage, paddle, drawn=pictures is None)


def report(stage: Measured, paddle: Measured, *, drawn: bool) -> Report:
    """The report on these rounds of both."""
    ratio = digits(median(stage.per_second) / median(paddle.per_second), 3)
    agreement = digits(alike(stage.lines, paddle.lines), 3)
    named = {"OCR stage": stage, "PaddleOCR's predict": paddle}
    figures: dict[str, Any] = {
        "pictures": len(stage.lines),
        "drawn": drawn,
        **{
            key: {
                "pictures_per_s": spread(measured.per_second),
                "rounds": [digits(rate) for rate in measured.per_second],
                "lines": sum(map(len, measured.lines)),
                "peak_rss_mib": round(measured.peak_rss_bytes / MIB),
            }
            for key, measured in (("stage", stage), ("paddleocr", paddle))
        },
        "ratio": ratio,
        "lines_alike": agreement,
    }
    rows = [
        (
            name,
            *spread(measured.per_second).values(),
            sum(map(len, measured.lines)),
            round(measured.peak_rss_bytes / MIB),
        )
        for name, measured in named.items()
    ]
    columns = ("", "pictures/s", "least", "most", "lines read", "memory MiB")
    title = f"ocr: {len(stage.lines)} pictures; {agreement:.0%} of all lines were read alike"
    return Report(
        NAME,
        figures,
        (Table(title, columns, rows),),
        (Target("OCR stage by PaddleOCR's predict", ratio, REQUIRED_RATIO),),
    )
