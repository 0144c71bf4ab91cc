from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from pathlib import Path

import pytest

from processors.media.layout import HOUR_S, key_of, object_key
from processors.media.retention import SWEEP_EVERY_S, sweep_hourly
from processors.media.store import MediaMissing, MediaStore, StoreAway, Swept

DATA = b"a picture's bytes"
SHA256 = hashlib.sha256(DATA).hexdigest()
DAY_S = 86_400
NOW_S = 20_000 * DAY_S


class Clock:
    def __init__(self) -> None:
        self.now_s = float(NOW_S)

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> MediaStore:
    return MediaStore.open(str(tmp_path), clock=clock)


def put(store: MediaStore, post: str, data: bytes = DATA) -> str:
    return asyncio.run(store.put("acme", post, data))


def sweep(store: MediaStore, now_s: float, days: float = 7) -> Swept:
    return asyncio.run(store.sweep(days * DAY_S, now_s))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_objects_go_with_their_markers_once_their_last_reference_is_old(tmp_path: Path, store: MediaStore) -> None:
    put(store, "p-1")
    put(store, "p-1", b"its frame")
    swept = sweep(store, NOW_S + 7 * DAY_S + HOUR_S)
    assert swept == Swept(objects=2, bytes=len(DATA) + len(b"its frame"), references=2)
    assert files(tmp_path) == set()


def test_nothing_goes_before_its_time(store: MediaStore) -> None:
    put(store, "p-1")
    assert sweep(store, NOW_S + 7 * DAY_S) == Swept()
    assert store.get("acme", SHA256) == DATA


def test_a_younger_reference_keeps_an_object_but_not_the_older_references(store: MediaStore, clock: Clock) -> None:
    put(store, "p-1")
    clock.now_s += 5 * DAY_S
    put(store, "p-2")
    assert sweep(store, NOW_S + 8 * DAY_S) == Swept(references=1)
    assert store.get("acme", SHA256) == DATA
    assert asyncio.run(store.forget("p-1")) == 0
    assert asyncio.run(store.forget("p-2")) == 1


def test_a_post_that_comes_again_keeps_its_objects_for_as_long_again(store: MediaStore, clock: Clock) -> None:
    put(store, "p-1")
    clock.now_s += 6 * DAY_S
    put(store, "p-1")
    assert sweep(store, NOW_S + 12 * DAY_S) == Swept(references=1)
    assert store.get("acme", SHA256) == DATA
    assert asyncio.run(store.forget("p-1")) == 1


def test_a_second_sweep_finds_nothing_left_to_count(store: MediaStore) -> None:
    put(store, "p-1")
    later_s = NOW_S + 30 * DAY_S
    assert sweep(store, later_s).objects == 1
    assert sweep(store, later_s) == Swept()


def test_an_object_without_any_reference_goes(tmp_path: Path, store: MediaStore) -> None:
    put(store, "p-1")
    for folder in ("refs", "posts"):
        for marker in (tmp_path / folder).rglob("*.*"):
            marker.unlink()
    assert sweep(store, NOW_S) == Swept(objects=1, bytes=len(DATA))
    assert files(tmp_path) == set()


def test_markers_without_an_object_go_when_they_are_old(tmp_path: Path, store: MediaStore) -> None:
    put(store, "p-1")
    (tmp_path / object_key("acme", SHA256).path).unlink()
    assert sweep(store, NOW_S + 8 * DAY_S) == Swept(references=1)
    assert files(tmp_path) == set()


def grave(tmp_path: Path, *, modified_s: float) -> Path:
    """The object moved away, as a process leaves it that is killed while it removes it."""
    key = object_key("acme", SHA256)
    left = tmp_path / key.grave("1234")
    left.parent.mkdir()
    (tmp_path / key.path).rename(left)
    os.utime(left, (modified_s, modified_s))
    return left


def test_a_removal_that_was_cut_off_is_finished_later(tmp_path: Path, store: MediaStore) -> None:
    put(store, "p-1")
    (tmp_path / object_key("acme", SHA256).refs / f"{key_of('p-1')}.{NOW_S // HOUR_S}").unlink()
    left = grave(tmp_path, modified_s=NOW_S)
    assert sweep(store, NOW_S + 60) == Swept()  # it may be at work still
    assert left.exists()
    assert sweep(store, NOW_S + 2 * HOUR_S) == Swept(objects=1, bytes=len(DATA))
    assert not left.exists()


def test_an_object_in_a_grave_that_is_needed_after_all_is_put_back(tmp_path: Path, store: MediaStore) -> None:
    put(store, "p-1")
    grave(tmp_path, modified_s=NOW_S)
    with pytest.raises(MediaMissing):
        store.get("acme", SHA256)
    assert sweep(store, NOW_S + 2 * HOUR_S) == Swept()
    assert store.get("acme", SHA256) == DATA


def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path, store: MediaStore) -> None:
    put(store, "p-1")
    mine = tmp_path / "objects" / "mine" / "ab" / "notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    sweep(store, NOW_S + 30 * DAY_S)
    assert mine.read_text() == "mine"


def test_sweeps_at_the_same_time_do_each_others_work_no_harm(tmp_path: Path, store: MediaStore) -> None:
    for number in range(20):
        put(store, f"p-{number % 3}", bytes([number]))

    async def both() -> list[Swept]:
        return await asyncio.gather(*(store.sweep(0, NOW_S + DAY_S) for _ in range(3)))

    assert sum(swept.objects for swept in asyncio.run(both())) == 20
    assert files(tmp_path) == set()


class EnoughError(Exception):
    pass


class Recorded:
    """A store that notes when it is swept, and has a fault the first time."""

    def __init__(self, fault: BaseException) -> None:
        self.calls: list[tuple[float, float]] = []
        self._fault = fault

    async def sweep(self, older_than_s: float, now_s: float) -> Swept:
        self.calls.append((older_than_s, now_s))
        if len(self.calls) == 1:
            raise self._fault
        return Swept(objects=2)


@pytest.mark.parametrize("fault", [StoreAway("the disk is gone"), RuntimeError("an odd listing")])
def test_sweeps_come_about_hourly_and_go_on_after_one_that_failed(
    clock: Clock, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    waits: list[float] = []
    store = Recorded(fault)

    async def sleep(seconds: float) -> None:
        if len(waits) == 3:
            raise EnoughError
        waits.append(seconds)

    with caplog.at_level(logging.INFO), pytest.raises(EnoughError):
        asyncio.run(sweep_hourly(store, 7, sleep=sleep, clock=clock))
    assert store.calls == [(7 * DAY_S, NOW_S)] * 3
    assert all(SWEEP_EVERY_S / 2 <= wait <= SWEEP_EVERY_S * 1.5 for wait in waits)
    assert str(fault) in caplog.text
    assert "2 objects" in caplog.text


def test_sweeps_end_when_they_are_cancelled(clock: Clock) -> None:
    store = Recorded(asyncio.CancelledError())

    async def sleep(_: float) -> None:
        if store.calls:
            raise EnoughError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(sweep_hourly(store, 7, sleep=sleep, clock=clock))
    assert len(store.calls) == 1
