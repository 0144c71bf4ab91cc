"""What is remembered of replays says exactly which dead letters were replayed, whatever the runs were."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.replayed import MAX_METADATA, Marks, Replayed

OFFSETS = st.lists(st.integers(1, 4), max_size=40).map(lambda gaps: list(accumulate(gaps)))
"""Of dead letters: markers of transactions lie between them."""


@given(OFFSETS, st.data())
def test_a_dead_letter_is_remembered_if_and_only_if_it_was_replayed(offsets: list[int], data: st.DataObject) -> None:
    known, done = Replayed(), set[int]()
    for _ in range(4):
        chosen = set(data.draw(st.lists(st.sampled_from(offsets)))) if offsets else set[int]()
        stopped = data.draw(st.integers(0, len(offsets)))  # a run may fail on its way, after any commit
        marks = Marks(known)
        for offset in offsets[:stopped]:
            marks.passed(offset, replayed=offset in chosen)
            done |= {offset} & chosen
            assert {at for at in offsets if at in marks.now()} == done
        known = Replayed.read(marks.now().before, marks.now().to_metadata())
        assert known == marks.now()


def test_when_all_are_replayed_only_an_offset_is_left() -> None:
    marks = Marks(Replayed())
    for offset in (0, 2, 4, 9):  # between them are markers
        marks.passed(offset, replayed=True)
    assert marks.now() == Replayed(10)
    assert marks.now().to_metadata() == ""


def test_ranges_are_not_parted_by_offsets_without_a_dead_letter() -> None:
    marks = Marks(Replayed())
    for offset, replayed in ((0, False), (2, True), (4, True), (6, False), (8, True)):
        marks.passed(offset, replayed=replayed)
    assert marks.now() == Replayed(0, ((2, 5), (8, 9)))
    assert marks.now().to_metadata() == "2-5,8-9"


@pytest.mark.parametrize("text", [None, "", "something else", "9-3", "5-6,2-3", "3-9x", "1-2"])
def test_metadata_that_is_not_ours_says_nothing_beyond_the_offset(text: str | None) -> None:
    assert Replayed.read(4, text) in (Replayed(4), Replayed(4, ((5, 6),)))
    assert Replayed.read(-1001, text).before == 0


def test_too_much_to_remember_forgets_the_end_and_never_claims_too_much() -> None:
    marks = Marks(Replayed())
    for offset in range(2000):
        marks.passed(offset, replayed=offset % 2 == 1)
    text = marks.now().to_metadata()
    assert len(text) <= MAX_METADATA
    remembered = {offset for offset in range(2000) if offset in Replayed.read(0, text)}
    assert remembered < {offset for offset in range(2000) if offset % 2 == 1}
    assert len(remembered) > 300
