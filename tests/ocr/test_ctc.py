"""Greedy CTC decoding, against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from processors.ocr.ctc import Reading, decode, mean_confidence

CHARACTERS = ("", "a", "b", "c", " ")


def naive(line: NDArray[np.float32]) -> tuple[str, list[float]]:
    text, probabilities, before = "", [], 0
    for step in line:
        best = max(range(len(step)), key=lambda at: step[at])
        if best != before and best != 0:
            text += CHARACTERS[best]
            probabilities.append(float(step[best]))
        before = best
    return text, probabilities


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 12), st.just(len(CHARACTERS))),
        elements=st.floats(0, 1, width=32),
    )
)
def test_it_is_what_the_definition_says(probabilities: NDArray[np.float32]) -> None:
    for line, reading in zip(probabilities, decode(probabilities, CHARACTERS), strict=True):
        text, chosen = naive(line)
        assert reading.text == text
        assert reading.confidence == pytest.approx(sum(chosen) / len(chosen) if chosen else 0.0)


def test_a_blank_parts_two_of_the_same() -> None:
    steps = np.eye(len(CHARACTERS), dtype=np.float32)[[1, 1, 0, 1, 4, 2, 2]]
    assert decode(steps[None], CHARACTERS) == [Reading("aa b", 1.0)]


def test_nothing_read_is_no_confidence() -> None:
    assert decode(np.eye(5, dtype=np.float32)[[0, 0]][None], CHARACTERS) == [Reading("", 0.0)]


def test_a_mean_weighs_lines_by_their_characters() -> None:
    assert mean_confidence([("abc", 1.0), ("d", 0.6)]) == pytest.approx(0.9)
    assert mean_confidence([]) is None
    assert mean_confidence([("", 0.0)]) is None
