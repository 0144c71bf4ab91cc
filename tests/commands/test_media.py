from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from processors.media.retention import DAY_S
from processors.media.store import MediaStore
from tests.commands.conftest import Run

TENANT = "acme"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def put(folder: Path, post_id: str, data: bytes, *, days_ago: float = 0) -> str:
    store = MediaStore.open(str(folder), clock=lambda: time.time() - days_ago * DAY_S)
    return asyncio.run(store.put(TENANT, post_id, data))


def holds(folder: Path, data: bytes) -> bool:
    return any(path.read_bytes() == data for path in folder.rglob("*") if path.is_file())


def test_a_sweep_removes_what_is_past_its_retention_and_says_how_much(run: Run, folder: Path) -> None:
    put(folder, "old", b"x" * 1_000, days_ago=9)
    put(folder, "new", b"young")
    ran = run("media", "sweep", "--store-url", folder, "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {"objects": 1, "bytes": 1_000, "references": 1}
    assert "1 object (0.0 MB) and 1 reference removed; older than 7 days" in ran.sentence
    assert holds(folder, b"young")
    assert not holds(folder, b"x" * 1_000)


def test_the_retention_is_a_setting(run: Run, folder: Path) -> None:
    put(folder, "p-1", b"data", days_ago=3)
    arguments = ("media", "sweep", "--store-url", folder, "--json", "--store-retention-days")
    assert json.loads(run(*arguments, 4).out)["objects"] == 0
    assert json.loads(run(*arguments, 2).out)["objects"] == 1


def test_media_that_are_kept_for_ever_are_not_swept(run: Run, folder: Path) -> None:
    put(folder, "old", b"data", days_ago=900)
    ran = run("media", "sweep", "--store-url", folder, "--store-retention-days", 0)
    assert ran.code == 1
    assert "store.retention_days is 0" in ran.sentence
    assert holds(folder, b"data")


def test_one_post_can_be_forgotten_and_what_others_need_stays(run: Run, folder: Path) -> None:
    put(folder, "p-1", b"only one")
    for post_id in ("p-1", "p-2"):
        put(folder, post_id, b"shared")
    ran = run("media", "forget", "p-1", "--store-url", folder, "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {"post_id": "p-1", "objects": 1}
    assert ran.sentence == "1 object removed"
    assert not holds(folder, b"only one")
    assert holds(folder, b"shared")


def test_a_post_without_media_is_no_failure_and_is_said(run: Run, folder: Path) -> None:
    ran = run("media", "forget", "nobody", "--store-url", folder)
    assert ran.code == 0
    assert ran.out == ""
    assert ran.sentence.startswith("0 objects removed: the post has none there")


@pytest.mark.parametrize("action", [("sweep",), ("forget", "p-1")])
def test_an_address_that_makes_no_sense_is_one_sentence(action: tuple[str, ...], run: Run) -> None:
    ran = run("media", *action, "--store-url", "sftp://somewhere")
    assert ran.code == 1
    assert "expected a folder" in ran.sentence
