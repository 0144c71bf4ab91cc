"""Small data folders of the suites' layouts."""

from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Iterable
from pathlib import Path

from models_export.evaluation.hatecheck import ENGLISH, MULTILINGUAL

GERMAN = "cases_german.csv.xz"

HEADER = ("functionality", "test_case", "label_gold", "target_ident")

CASES = (
    ("derog_h", "cats are scum", "hateful", "cats"),
    ("neutral_nh", "the cat,\nthe mat", "non-hateful", "cats"),
    ("neutral_nh", "hello world", "non-hateful", ""),
)


def add_hatecheck(data: Path) -> None:
    """Three cases in English, and three in German that are compressed; the tiny pack judges four of them rightly."""
    for path in (data / ENGLISH, data / MULTILINGUAL / GERMAN):
        path.parent.mkdir(parents=True)
    (data / ENGLISH).write_text(_csv(CASES), encoding="utf-8")
    german = (("derog_h", "der hund", "hateful", "dogs"), ("derog_h", "und vermin", "hateful", "dogs"))
    cases = (*german, ("neutral_nh", "der scum", "non-hateful", ""))
    (data / MULTILINGUAL / GERMAN).write_bytes(lzma.compress(_csv(cases).encode()))


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return text.getvalue()
