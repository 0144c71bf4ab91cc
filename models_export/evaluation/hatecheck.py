"""The functional suites HateCheck and Multilingual HateCheck: small tests of what a hate classifier should tell apart.

They are for measuring only: nothing is trained, calibrated or chosen on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_export.evaluation.scoring import LabelledText

ENGLISH = Path("named/hatecheck/test_suite_cases.csv")
MULTILINGUAL = Path("named/multilingual_hatecheck")
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
    """Cases of one language; `hateful` bool and `functionality` str have the shape [cases]."""

    lang: str
    cases: list[LabelledText]
    hateful: NDArray[np.bool_]
    functionality: NDArray[np.str_]


def read_suites(data: Path) -> list[Suite]:
    """The suites that the data folder has, English first; none is required."""
    found: list[Suite] = []
    if (data / ENGLISH).is_file():
        found.append(_suite(data / ENGLISH, "en"))
    for name, lang in LANGUAGES.items():
        found += [_suite(path, lang) for path in sorted((data / MULTILINGUAL).glob(f"*_{name}.csv*"))]
    return found


def _suite(path: Path, lang: str) -> Suite:
    table = pd.read_csv(path)
    cases = [LabelledText(f"{path.stem}:{at}", text.strip()) for at, text in enumerate(table["test_case"])]
    hateful = (table["label_gold"] == "hateful").to_numpy(bool)
    return Suite(lang, cases, hateful, table["functionality"].to_numpy(str))
