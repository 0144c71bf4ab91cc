"""Precision and recall of the interaction flags, by what people said of text, picture and both."""

from __future__ import annotations

import pytest

from models_export.fusion.interactions import by_pattern
from processors.policy import INTERACTION_EMERGENT, INTERACTION_NEUTRALISED


def test_flags_are_measured_against_the_patterns_that_they_are_named_after() -> None:
    posts = [
        ("001", [INTERACTION_EMERGENT]),
        ("001", []),
        ("000", [INTERACTION_EMERGENT]),
        ("111", []),
        ("110", [INTERACTION_NEUTRALISED]),
        ("100", ["hate", INTERACTION_NEUTRALISED]),
        ("010", []),
        ("000", []),
    ]
    found = by_pattern(posts)
    emergent, neutralised = (found["flags"][flag] for flag in (INTERACTION_EMERGENT, INTERACTION_NEUTRALISED))
    assert (emergent["raised"], emergent["precision"]["value"], emergent["recall"]["value"]) == (2, 0.5, 0.5)
    assert neutralised["precision"]["value"] == 1.0
    assert neutralised["recall"]["value"] == pytest.approx(2 / 3)
    assert found["patterns"]["001"][INTERACTION_EMERGENT]["value"] == 0.5
    assert found["patterns"]["011"] == {
        "posts": 0,
        INTERACTION_EMERGENT: {"value": None, "low": None, "high": None},
        INTERACTION_NEUTRALISED: {"value": None, "low": None, "high": None},
    }


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no patterns: 01"):
        by_pattern([("01", [])])
