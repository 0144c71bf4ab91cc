"""Lists of known content: what is on them, and what becomes of lists that change or break while we run."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFilter

from processors.media.decoder import DecoderLimits
from processors.media.decoder.picture import decode
from processors.media.known import KnownListError, KnownLists
from processors.media.known.distances import nearest
from processors.media.known.hash_file import words_of
from processors.media.known.lists import LOOK_EVERY_S, PDQ_MIN_QUALITY
from schemas.sections import KnownContent
from tests.media.drawn import photo, saved

MD5, SHA256 = hashlib.md5(b"content").hexdigest(), hashlib.sha256(b"content").hexdigest()  # noqa: S324  # as lists have
OTHER_MD5, OTHER_SHA256 = "0" * 32, "0" * 64
PDQ = "d8f8f0cec0f4a84f0637022a278f67f0b36e2ed596621e1d33e6339c4e9c9b22"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def flipped(pdq: str, bits: int) -> str:
    """The hash with so many of its bits changed, somewhere."""
    value = int(pdq, 16)
    for bit in random.Random(bits).sample(range(256), bits):
        value ^= 1 << bit
    return f"{value:064x}"


def matched(
    lists: KnownLists, *, md5: str = OTHER_MD5, sha256: str = OTHER_SHA256, pdq: str | None = None, quality: int = 100
) -> list[tuple[str, str, int]]:
    found = lists.match(md5=md5, sha256=sha256, pdqs=[] if pdq is None else [(pdq, quality)])
    return [(one.list, one.by, one.distance) for one in found]


@pytest.fixture
def terror(tmp_path: Path) -> Path:
    path = tmp_path / "terror.txt"
    path.write_text(f"# of last week\n\n{MD5.upper()}\n  {SHA256}  # with a reason\n{PDQ}\n")
    return path


def test_exact_hashes_are_found_and_others_are_not(terror: Path) -> None:
    lists = KnownLists([terror])
    assert lists.names == ("terror",)
    assert matched(lists, md5=MD5) == [("terror", "md5", 0)]
    assert matched(lists, sha256=SHA256) == [("terror", "sha256", 0)]
    assert matched(lists) == []
    assert matched(lists, md5=SHA256[:32], sha256=MD5 + MD5) == []


@pytest.mark.parametrize(("bits", "found"), [(0, True), (1, True), (31, True), (32, False), (200, False)])
def test_near_pictures_are_found_up_to_the_distance(terror: Path, bits: int, found: bool) -> None:
    assert matched(KnownLists([terror]), pdq=flipped(PDQ, bits)) == ([("terror", "pdq", bits)] if found else [])


def test_the_distance_can_be_set(terror: Path) -> None:
    assert matched(KnownLists([terror], pdq_distance=10), pdq=flipped(PDQ, 11)) == []
    assert matched(KnownLists([terror], pdq_distance=40), pdq=flipped(PDQ, 40)) == [("terror", "pdq", 40)]


def test_a_hash_of_low_quality_says_nothing(terror: Path) -> None:
    lists = KnownLists([terror])
    assert matched(lists, pdq=PDQ, quality=PDQ_MIN_QUALITY) == [("terror", "pdq", 0)]
    assert matched(lists, pdq=PDQ, quality=PDQ_MIN_QUALITY - 1) == []


def test_of_several_pictures_the_nearest_counts_and_of_several_hashes_the_exact_one(terror: Path) -> None:
    lists = KnownLists([terror])
    near = [(flipped(PDQ, 20), 100), (flipped(PDQ, 3), 100), (OTHER_SHA256, 100)]
    found = lists.match(md5=OTHER_MD5, sha256=OTHER_SHA256, pdqs=near)
    assert found == (KnownContent(list="terror", by="pdq", distance=3),)
    assert matched(lists, md5=MD5, sha256=SHA256, pdq=PDQ) == [("terror", "sha256", 0)]


def test_every_list_that_an_item_is_on_is_named(terror: Path, tmp_path: Path) -> None:
    spam, empty = tmp_path / "spam.v2.txt", tmp_path / "empty.txt"
    spam.write_text(f"{flipped(PDQ, 5)}\n")
    empty.write_text("# nothing yet\n")
    lists = KnownLists([spam, empty, terror])
    assert matched(lists, md5=MD5, pdq=PDQ) == [("spam.v2", "pdq", 5), ("terror", "md5", 0)]
    assert matched(KnownLists([]), md5=MD5, pdq=PDQ) == []


def test_edits_of_a_listed_picture_are_found(tmp_path: Path) -> None:
    def pdq_of(data: bytes) -> tuple[str, int]:
        (picture,) = decode(data, DecoderLimits()).pictures
        return picture.pdq, picture.pdq_quality

    path = tmp_path / "listed.txt"
    path.write_text(pdq_of(saved(photo(1), "PNG"))[0])
    lists = KnownLists([path])
    blurred = pdq_of(saved(photo(1).filter(ImageFilter.GaussianBlur(2)), "JPEG", quality=50))
    (found,) = lists.match(md5=OTHER_MD5, sha256=OTHER_SHA256, pdqs=[blurred])
    assert found.by == "pdq"
    others = [pdq_of(saved(photo(seed), "PNG")) for seed in range(2, 12)]
    assert lists.match(md5=OTHER_MD5, sha256=OTHER_SHA256, pdqs=others) == ()


@pytest.mark.parametrize("line", ["hello", "abc123", MD5 + "0", SHA256[:-1] + "g", f"{MD5} {MD5}", f"md5:{MD5}", "é"])
def test_a_line_that_is_no_hash_is_named(terror: Path, line: str) -> None:
    terror.write_text(f"{MD5}\n# comment\n{line}\n")
    with pytest.raises(KnownListError, match=r"terror\.txt, line 3: expected an MD5 \(32 hex digits\)"):
        KnownLists([terror])


def test_files_that_are_not_there_or_share_a_name_are_refused(terror: Path, tmp_path: Path) -> None:
    with pytest.raises(KnownListError, match=r"nothing\.txt: cannot be read: No such file"):
        KnownLists([tmp_path / "nothing.txt"])
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "terror.csv"
    twin.write_text("")
    with pytest.raises(KnownListError, match="another file is named 'terror' too"):
        KnownLists([terror, twin])


def test_a_changed_file_is_read_again_after_a_while(terror: Path) -> None:
    clock = Clock()
    lists = KnownLists([terror], clock=clock)
    terror.write_text(f"{OTHER_MD5}\n")
    clock.now = LOOK_EVERY_S - 0.1
    assert matched(lists, md5=MD5) == [("terror", "md5", 0)]
    clock.now = LOOK_EVERY_S
    assert matched(lists, md5=MD5) == []
    assert matched(lists) == [("terror", "md5", 0)]


def test_a_file_that_was_replaced_by_one_of_the_same_size_and_time_is_read_again(terror: Path) -> None:
    clock = Clock()
    lists = KnownLists([terror], clock=clock)
    status = terror.stat()
    new = terror.with_suffix(".new")
    new.write_text(terror.read_text().replace(MD5.upper(), OTHER_MD5))
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(terror)
    assert terror.stat().st_size == status.st_size
    clock.now = 10
    assert matched(lists, md5=MD5) == []


@pytest.mark.parametrize("broken", ["a line that is no hash\n", None], ids=["broken", "gone"])
def test_a_file_that_breaks_keeps_its_list_and_is_complained_of_once(
    terror: Path, caplog: pytest.LogCaptureFixture, broken: str | None
) -> None:
    clock = Clock()
    lists = KnownLists([terror], clock=clock)
    if broken is None:
        terror.unlink()
    else:
        terror.write_text(broken)
    with caplog.at_level(logging.WARNING):
        for clock.now in (10, 20, 30):
            assert matched(lists, md5=MD5) == [("terror", "md5", 0)]
    (record,) = caplog.records
    assert "the list 'terror' stays as it was" in record.getMessage()
    assert str(terror) in record.getMessage()
    terror.write_text(f"{OTHER_MD5}\n")
    clock.now = 40
    assert matched(lists) == [("terror", "md5", 0)]


def test_many_threads_may_match_while_lists_change(terror: Path) -> None:
    clock = Clock()
    lists = KnownLists([terror], clock=clock)
    found: set[tuple[tuple[str, str, int], ...]] = set()

    def match() -> None:
        for _ in range(300):
            found.add(tuple(matched(lists, md5=MD5, pdq=PDQ)))

    threads = [threading.Thread(target=match) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(40):
        terror.write_text(f"# {'x' * version}\n{MD5}\n{PDQ}\n")
        clock.now += 10
    for thread in threads:
        thread.join()
    # A file is read while it is written: then it is empty, or its list stays as it was.
    assert found <= {(("terror", "md5", 0),), ()}
    clock.now += 10
    assert matched(lists, md5=MD5) == [("terror", "md5", 0)]


@given(st.lists(st.integers(0, 2**256 - 1), max_size=40), st.integers(0, 2**256 - 1))
def test_the_nearest_is_what_counting_bits_one_by_one_finds(hashes: list[int], wanted: int) -> None:
    packed = np.array([words_of(f"{one:064x}") for one in hashes], np.uint64).reshape(-1, 4)
    expected = min(((one ^ wanted).bit_count() for one in hashes), default=256)
    assert nearest(packed, words_of(f"{wanted:064x}")) == expected


def test_the_nearest_is_found_among_very_many() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, (50_000, 4), dtype=np.uint64)
    for at in (0, 16_383, 16_384, 49_999):
        assert nearest(hashes, hashes[at] ^ np.uint64(1)) == 4
    assert nearest(~hashes[:1], hashes[0]) == 256
