"""Agreement of shown stretches with those that people marked."""

from __future__ import annotations

import pytest

from models_export.evaluation.rationales import MarkedText, agreement, figures

TEXT = "one two three four five six"
THREE, FOUR, SIX = (8, 13), (14, 18), (24, 27)


def test_what_people_marked_and_nothing_else_is_full_agreement() -> None:
    found = agreement(TEXT, [(8, 18)], [(*THREE, 1.0), (*FOUR, 0.6)])
    assert (found.token_f1, found.iou_f1, found.auprc) == (1.0, 1.0, 1.0)


def test_half_of_a_marked_stretch_matches_it_and_a_stretch_elsewhere_does_not() -> None:
    found = agreement(TEXT, [(8, 18)], [(*THREE, 1.0), (*SIX, 0.5)])
    assert found.token_f1 == pytest.approx(0.5)
    # One of two shown stretches matches, and the one that was marked is matched.
    assert found.iou_f1 == pytest.approx(2 / 3)
    # The second marked word ties with the three that are not shown and comes after "six": 1/2 + 1/2 * 2/6.
    assert found.auprc == pytest.approx(1 / 2 + 1 / 2 * 2 / 6)


def test_a_part_of_a_word_counts_for_the_word() -> None:
    assert agreement(TEXT, [(9, 11)], [(*THREE, 1.0)]).token_f1 == 1.0


def test_the_whole_text_finds_all_at_the_precision_of_chance() -> None:
    found = agreement(TEXT, [THREE], [(0, len(TEXT), 1.0)])
    assert found.token_f1 == pytest.approx(2 * (1 / 6) / (1 / 6 + 1))
    assert found.iou_f1 == 0.0
    assert found.auprc == pytest.approx(1 / 6)


def test_texts_that_are_not_flagged_do_not_count() -> None:
    texts = [MarkedText("a", TEXT, (THREE,)), MarkedText("b", TEXT, (SIX,))]
    result = figures(texts, [[(*THREE, 1.0)], None])
    assert (result["texts"], result["flagged"]) == (2, 1)
    assert result["shown"] == {"token_f1": 1.0, "iou_f1": 1.0, "auprc": 1.0}
    assert result["whole_window"]["token_f1"] < 0.5
    assert figures(texts, [None, None])["shown"]["auprc"] is None
