"""What is held, and no more of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.rings import MAX_KINDS, Counts, Ring


def test_the_newest_are_kept_and_found_by_their_post() -> None:
    ring: Ring[str] = Ring(2)
    for offset, (post_id, value) in enumerate([("p", "one"), ("q", "two"), ("p", "three")]):
        ring.add((0, offset), post_id, value)
    assert list(ring.newest()) == ["three", "two"]
    assert ring.of_post("p") == ["three"]
    assert ring.of_post("never") == []


def test_a_message_that_is_read_twice_is_held_once() -> None:
    ring: Ring[str] = Ring(5)
    ring.add((0, 1), "p", "one")
    ring.add((0, 1), "p", "one")
    assert list(ring.newest()) == ["one"]
    assert ring.of_post("p") == ["one"]


def test_nothing_of_a_deleted_post_stays() -> None:
    ring: Ring[str] = Ring(5)
    ring.add((0, 1), "p", "one")
    ring.add((0, 2), "q", "two")
    ring.drop_post("p")
    ring.drop_post("never")
    assert list(ring.newest()) == ["two"]
    assert ring.of_post("p") == []


@given(st.integers(1, 5), st.lists(st.tuples(st.integers(0, 9), st.sampled_from("pqr"), st.booleans()), max_size=60))
def test_a_ring_never_holds_more_than_its_size_and_its_index_agrees(
    size: int, steps: list[tuple[int, str, bool]]
) -> None:
    ring: Ring[tuple[int, str]] = Ring(size)
    for offset, post_id, drop in steps:
        if drop:
            ring.drop_post(post_id)
        else:
            ring.add((0, offset), post_id, (offset, post_id))
        held = list(ring.newest())
        assert len(held) <= size
        assert sorted(held) == sorted(value for post_id in "pqr" for value in ring.of_post(post_id))


def test_counts_are_those_of_the_seconds_asked_for() -> None:
    counts: Counts[str] = Counts(60)
    for at_s, kind in [(100, "block"), (100, "review"), (101, "block"), (105, "block")]:
        counts.add(at_s, kind, now_s=110)
    assert counts.total(100, 102) == {"block": 2, "review": 1}
    assert counts.second(105) == {"block": 1}


def test_counts_of_long_ago_of_the_future_and_of_endless_kinds_are_bounded() -> None:
    counts: Counts[str] = Counts(10)
    counts.add(1, "old", now_s=100)
    counts.add(500, "early", now_s=100)
    assert counts.total(0, 1000) == {"early": 1}
    assert counts.second(100) == {"early": 1}
    for number in range(MAX_KINDS + 100):
        counts.add(100, str(number), now_s=100)
    assert len(counts.second(100)) == MAX_KINDS
    for second in range(101, 200):
        counts.add(second, "more", now_s=second)
    assert len(counts._seconds) <= 10
