"""What a player may ask of a sound: all of it, or a stretch."""

from __future__ import annotations

import pytest

from console.media import response_of
from streams.media_objects import Shown

SOUND = bytes(range(100))


def shown() -> Shown:
    return Shown(data=SOUND, type="audio/wav")


def test_the_whole_of_it_says_that_it_can_be_had_in_stretches() -> None:
    found = response_of(shown(), slice(None, None, 1))
    assert (found.status, found.body, found.headers["Accept-Ranges"]) == (200, SOUND, "bytes")


@pytest.mark.parametrize(
    ("wanted", "data", "said"),
    [
        (slice(10, 20, 1), SOUND[10:20], "bytes 10-19/100"),
        (slice(90, None, 1), SOUND[90:], "bytes 90-99/100"),
        (slice(-10, None, 1), SOUND[90:], "bytes 90-99/100"),
        (slice(50, 5_000, 1), SOUND[50:], "bytes 50-99/100"),
    ],
)
def test_a_player_that_jumps_gets_the_stretch_that_it_asks_for(wanted: slice, data: bytes, said: str) -> None:
    found = response_of(shown(), wanted)
    assert (found.status, found.body, found.headers["Content-Range"]) == (206, data, said)


def test_a_stretch_beyond_its_end_is_refused_with_its_length() -> None:
    found = response_of(shown(), slice(100, None, 1))
    assert (found.status, found.headers["Content-Range"]) == (416, "bytes */100")
