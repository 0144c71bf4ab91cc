"""Which lines are believed, which count as unread, and which are no lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ocr.boxes import Quad
from processors.ocr.options import OcrOptions
from processors.ocr.quality import FoundLine, Verdict, coverage, judge, overrules


def box(width: float = 200, height: float = 30) -> Quad:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def line(
    text: str = "hello world",
    confidence: float = 0.95,
    *,
    score: float = 0.9,
    quad: Quad | None = None,
    script: str | None = "Latn",
    readable: bool = True,
) -> FoundLine:
    return FoundLine(box() if quad is None else quad, score, text, confidence, script, readable)


DEFAULT = OcrOptions()


def test_a_line_read_with_confidence_is_believed() -> None:
    assert judge(line(), DEFAULT) is Verdict.READ


def test_a_line_read_with_too_little_confidence_is_unread() -> None:
    assert judge(line(confidence=0.49), DEFAULT) is Verdict.UNREAD
    assert judge(line(confidence=0.7), OcrOptions(min_confidence=0.8)) is Verdict.UNREAD


def test_few_letters_in_a_long_line_are_not_its_text() -> None:
    assert judge(line("     .", 0.94), DEFAULT) is Verdict.UNREAD
    assert judge(line("A B", 0.94), DEFAULT) is Verdict.UNREAD


@pytest.mark.parametrize("text", ["0000000", "000 00 000 0", "0..…. 000", "oooo"])
def test_one_sign_again_and_again_is_not_a_text(text: str) -> None:
    assert judge(line(text, 0.93, quad=box(20 * len(text), 30)), DEFAULT) is Verdict.UNREAD
    assert not overrules(line(text, 0.99, quad=box(20 * len(text), 30)), "Deva")


@pytest.mark.parametrize("text", ["HAHAHA", "NOOOO!!!", "100000", "aaa", "..."])
def test_a_text_may_repeat_itself(text: str) -> None:
    assert judge(line(text, quad=box(20 * len(text), 30)), DEFAULT) is Verdict.READ


def test_a_single_letter_is_left_out() -> None:
    sign = line("A", quad=box(25, 30))
    assert judge(sign, DEFAULT) is Verdict.NOTHING
    assert judge(sign, OcrOptions(min_chars=1)) is Verdict.READ


@pytest.mark.parametrize(
    "texture",
    [
        line("IH", 0.3, score=0.6),  # the detector was not sure either
        line("IH", 0.3, quad=box(30, 30)),  # a single sign, if any
        line("IH", 0.3, quad=box(60, 9)),  # too small for anybody
        line("IH", 0.3, script="Zxxx"),  # the script expert sees no writing
    ],
)
def test_what_looks_like_texture_is_no_line(texture: FoundLine) -> None:
    assert judge(texture, DEFAULT) is Verdict.NOTHING


def test_a_line_in_a_script_that_nobody_reads_is_unread_however_small_the_score() -> None:
    assert judge(line("", 0.0, score=0.5, script="Arab", readable=False), DEFAULT) is Verdict.UNREAD


def test_what_a_recogniser_makes_of_letters_that_it_does_not_know_is_not_believed() -> None:
    assert judge(line("nPMBeT BCeM", 0.8, script="Cyrl", readable=False), DEFAULT) is Verdict.UNREAD


def test_a_certain_reading_outweighs_the_script_expert() -> None:
    assert overrules(line("hello world", 0.91), "Thai")
    assert not overrules(line("hello world", 0.89), "Thai")


def test_letters_that_look_like_latin_ones_take_more_certainty() -> None:
    assert not overrules(line("MOCKBA CCCP", 0.97), "Cyrl")
    assert overrules(line("hello world", 0.99), "Cyrl")


def test_few_certain_letters_in_a_long_line_outweigh_nothing() -> None:
    assert not overrules(line("    T G.", 0.99), "Taml")


@given(st.floats(0, 1), st.floats(0, 1), st.text(max_size=40))
def test_less_confidence_never_makes_a_line_believed(confidence: float, less: float, text: str) -> None:
    surer, doubtful = max(confidence, less), min(confidence, less)
    if judge(line(text, doubtful), DEFAULT) is Verdict.READ:
        assert judge(line(text, surer), DEFAULT) is Verdict.READ


def test_coverage_is_the_lines_share_of_the_picture() -> None:
    assert coverage([box(200, 30), box(100, 40)], 400, 100) == pytest.approx(0.25)
    assert coverage([box(400, 100)] * 3, 400, 100) == 1.0
    assert coverage([], 10, 10) == 0.0
