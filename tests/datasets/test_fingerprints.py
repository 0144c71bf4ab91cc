"""Near duplicates: none that the shingles call near is missed, whatever the language."""

from __future__ import annotations

import random

import numpy as np
import pytest

from models_export.datasets.fingerprints import (
    NEAR,
    NEAR_BITS,
    content_key,
    near_pictures,
    near_texts,
    normalised,
    similarity,
)

WORDS = ["river", "stone", "market", "garden", "winter", "letter", "orange", "window", "thunder", "pencil", "basket"]


def texts(count: int, seed: int) -> list[str]:
    """Sentences of which every third is a slightly changed copy of the one before."""
    draw = random.Random(seed)
    found: list[str] = []
    for at in range(count):
        if at % 3 == 2:
            place = draw.randrange(len(found[-1]))
            found.append(found[-1][:place] + "x" + found[-1][place + 1 :])
        else:
            found.append(" ".join(draw.choice(WORDS) for _ in range(draw.randint(3, 40))))
    return found


def test_near_texts_are_those_that_comparing_all_finds() -> None:
    some = texts(240, seed=3)
    sides = np.arange(len(some)) % 2
    wanted = {
        (one, other)
        for one in range(len(some))
        for other in range(one + 1, len(some))
        if sides[one] != sides[other] and similarity(some[one], some[other]) >= NEAR
    }
    assert len(wanted) > 20
    assert set(near_texts(some, sides)) == wanted


def test_texts_of_one_side_are_not_compared() -> None:
    assert list(near_texts(["the same words"] * 3, np.zeros(3, np.int64))) == []


def test_where_each_text_is_a_side_of_its_own_all_pairs_are_found() -> None:
    assert set(near_texts(["same words", "same words", "other things"], np.arange(3))) == {(0, 1)}


@pytest.mark.parametrize("short", ["ok", "字", "🙂"])
def test_texts_shorter_than_a_shingle_are_near_only_when_equal(short: str) -> None:
    sides = np.array([0, 1, 1])
    assert set(near_texts([short, short, f"{short}!"], sides)) == {(0, 1)}


def test_no_text_is_near_no_text() -> None:
    assert list(near_texts(["", ""], np.array([0, 1]))) == []


def test_names_links_case_and_punctuation_do_not_make_a_text_another() -> None:
    assert normalised("@Anna  LOOK: https://example.org/x, it’s… Straße!") == "look it s strasse"


def test_vowel_signs_and_emoji_are_part_of_a_text() -> None:
    assert normalised("आज मौसम 🙂") == "आज मौसम 🙂"


def test_a_text_of_nothing_but_names_is_still_compared() -> None:
    assert normalised("@Anna @Ben") == "@anna @ben"


def test_the_content_key_knows_punctuation_but_not_case_and_space() -> None:
    assert content_key("Ｇood  Morning") == content_key("good morning\n")
    assert content_key("good morning") != content_key("good morning!")


def test_near_pictures_are_those_within_the_distance_on_different_sides() -> None:
    draw = np.random.default_rng(5)
    bits = draw.integers(0, 2, (60, 256), np.uint8)
    for at in range(40, 60):
        bits[at] = bits[at - 40]
        bits[at, draw.choice(256, at - 20, replace=False)] ^= 1  # 20..39 bits
    hashes = np.packbits(bits, axis=1).view(np.uint64)
    sides = (np.arange(60) % 3 == 0).astype(np.int64)
    wanted = {
        (one, other)
        for one in range(60)
        for other in range(one + 1, 60)
        if sides[one] != sides[other] and int((bits[one] != bits[other]).sum()) <= NEAR_BITS
    }
    assert wanted
    found = list(near_pictures(hashes, sides))
    assert set(found) == wanted
    assert len(found) == len(wanted)
    own = {(one, one + 40) for one in range(12)}
    assert set(near_pictures(hashes, np.arange(60))) >= own


def test_no_pictures_are_near_none() -> None:
    assert list(near_pictures(np.zeros((0, 4), np.uint64), np.zeros(0, np.int64))) == []
