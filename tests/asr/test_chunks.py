"""Stretches of speech put end to end, and the way back to the sound's own times."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.asr.chunks import MAX_SAMPLES, RATE, Chunk, Span, merged


@given(st.lists(st.tuples(st.integers(0, 20 * RATE), st.integers(1, MAX_SAMPLES)), max_size=12))
def test_every_region_is_in_one_chunk_in_order_and_no_chunk_is_longer_than_a_window(
    gaps: list[tuple[int, int]],
) -> None:
    regions: list[Span] = []
    at = 0
    for gap, length in gaps:
        regions.append(Span(at + gap, at + gap + length))
        at += gap + length
    chunks = merged(regions)
    assert [region for chunk in chunks for region in chunk.regions] == regions
    assert all(0 < chunk.length <= MAX_SAMPLES for chunk in chunks)
    for one, other in pairwise(chunks):
        assert one.length + other.regions[0].length > MAX_SAMPLES


def test_a_chunk_is_cut_without_its_pauses() -> None:
    samples = np.arange(100, dtype=np.float32)
    assert Chunk((Span(10, 13), Span(50, 52))).cut(samples).tolist() == [10, 11, 12, 50, 51]


def test_times_in_a_chunk_lead_back_to_the_sound() -> None:
    chunk = Chunk((Span(RATE, 3 * RATE), Span(10 * RATE, 11 * RATE)))
    assert chunk.in_sound(0.5, 1.0) == (0, pytest.approx(1.5), pytest.approx(2.0))
    assert chunk.in_sound(2.25, 2.5) == (1, pytest.approx(10.25), pytest.approx(10.5))


def test_a_word_over_an_edge_stays_in_the_region_of_its_middle() -> None:
    chunk = Chunk((Span(RATE, 3 * RATE), Span(10 * RATE, 11 * RATE)))
    assert chunk.in_sound(1.8, 2.1) == (0, pytest.approx(2.8), pytest.approx(3.0))
    assert chunk.in_sound(1.9, 2.4) == (1, pytest.approx(10.0), pytest.approx(10.4))


def test_what_lies_behind_the_last_region_ends_with_it() -> None:
    assert Chunk((Span(0, RATE),)).in_sound(1.5, 2.0) == (0, 1.0, 1.0)


def test_what_is_left_of_a_chunk_begins_in_the_middle_of_a_region() -> None:
    chunk = Chunk((Span(0, 4 * RATE), Span(10 * RATE, 12 * RATE)))
    assert chunk.after(3.0, 1.0) == Chunk((Span(3 * RATE, 4 * RATE), Span(10 * RATE, 12 * RATE)))
    assert chunk.after(5.0, 1.0) == Chunk((Span(10 * RATE, 12 * RATE),))
    assert chunk.after(11.5, 1.0) is None
    assert chunk.after(20.0, 1.0) is None
