"""The functional suites HateCheck and Multilingual HateCheck: small tests of what a hate classifier should tell apart.

They are for measuring only: nothing is trained, calibrated or chosen on them.
"""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.scoring import LabelledText

ENGLISH = Path("named/hatecheck/test_suite_cases.csv")
GOLD = ("hateful", "non-hateful")
MULTILINGUAL = Path("named/multilingual_hatecheck")
WHOLE = ("test_case", "functionality", "target_ident")
"""Columns that every case has."""

LANGUAGES = {
    "arabic": "ar",
    "dutch": "nl",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "mandarin": "zh",
    "polish": "pl",
    "portuguese": "pt",
    "spanish": "es",
}


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases of one language; `hateful` bool, `functionality`, `target` and `template` str have the shape [cases]."""

    lang: str
    cases: list[LabelledText]
    hateful: NDArray[np.bool_]
    functionality: NDArray[np.str_]
    target: NDArray[np.str_]
    """Whom the case is about; empty where that is nobody in particular."""
    template: NDArray[np.str_]
    """Number of the template that the case was made from, the same in all languages; empty where a file has none."""


def read_suites(data: Path) -> list[Suite]:
    """The suites that the data folder has, English first; none is required.

    Raises SuiteError for a file that is no such suite.
    """
    found: list[Suite] = []
    if (data / ENGLISH).is_file():
        found.append(_suite(data / ENGLISH, "en"))
    for name, lang in LANGUAGES.items():
        found += [_suite(path, lang) for path in sorted((data / MULTILINGUAL).glob(f"*_{name}.csv*"))]
    return found


def _suite(path: Path, lang: str) -> Suite:
    try:
        rows = list(_rows(path))
        for at, row in enumerate(rows):
            # A row that is cut off has no value at all; what is neither would silently count as not hateful.
            if row["label_gold"] not in GOLD or any(row.get(name) is None for name in WHOLE):
                raise SuiteError(f"{path}: case {at + 1} is not whole; expected a label_gold of {' or '.join(GOLD)}")
        return Suite(
            lang,
            [LabelledText(f"{path.stem}:{at}", row["test_case"].strip()) for at, row in enumerate(rows)],
            np.array([row["label_gold"] == "hateful" for row in rows], bool),
            np.array([row["functionality"] for row in rows], str),
            np.array([row["target_ident"] for row in rows], str),
            np.array([row.get("templ_id") or "" for row in rows], str),
        )
    except KeyError as error:
        raise SuiteError(f"{path}: no column {error}; expected the columns of a HateCheck suite") from None
    except (csv.Error, lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: {error}; expected the columns of a HateCheck suite") from None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with _opened(path) as file:
        yield from csv.DictReader(file)


def _opened(path: Path) -> TextIO:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")
