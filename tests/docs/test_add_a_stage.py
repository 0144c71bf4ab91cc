"""docs/add-a-stage.md does what it says: its blocks apply, its commands run, and posts pass through the new stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas import decode_decision
from streams.broker import LocalBroker
from tests.docs.following import Done, Follower, follower
from tests.docs.guide import DoesNotApply, apply_blocks, copy_of_the_repository
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "add-a-stage.md"
PATIENCE_S = 60.0


@pytest.fixture
def reader(environment: dict[str, str], tmp_path: Path) -> Iterator[Follower]:
    """A reader before a copy of the repository, with the changes of the guide's blocks made."""
    folder = copy_of_the_repository(tmp_path / "copy")
    apply_blocks(PAGE, folder)
    first = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}  # before the repository, which is installed
    with follower(folder, environment | first) as reader:
        yield reader


def test_the_guide_adds_a_stage(reader: Follower, kafka: LocalBroker, topic_prefix: str) -> None:
    done = reader.follow(PAGE)
    assert "passed" in said(done, "pytest")
    assert "is valid" in said(done, "modstream policy check")

    lines = (reader.folder / "build" / "decisions.jsonl").read_bytes().splitlines()
    many, few = map(decode_decision, lines)
    assert (many.action, [reason.rule for reason in many.reasons]) == ("review", ["many-links"])
    assert (few.action, few.reasons) == ("approve", ())
    assert all("links" in decision.timings_ms for decision in (many, few))

    assert counted(kafka, topic_prefix, 2) == {"l-1": 3, "l-2": 1}
    lag = json.loads(reader.run("modstream lag --json").stdout)
    waiting = {stage["stage"]: stage["messages"] for stage in lag["stages"]}
    assert {stage: waiting[stage] for stage in ("ingest", "links", "encode")} == dict.fromkeys(
        ("ingest", "links", "encode"), 0
    )
    assert waiting["pack"] >= 2


def test_a_block_that_no_longer_fits_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```diff\n--- a.py\n@@\n gone\n+new\n```\n")
    (tmp_path / "a.py").write_text("here\n")
    with pytest.raises(DoesNotApply, match=r"a\.py: 0 places"):
        apply_blocks(page, tmp_path)


def said(done: list[Done], command: str) -> str:
    (found,) = (entry for entry in done if entry.command.startswith(command))
    return found.stdout + found.stderr


def counted(kafka: LocalBroker, prefix: str, number: int) -> dict[str, int]:
    """What `links` wrote into the records that wait for `pack`: post id -> addresses. Of the first `number`."""
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": "nobody", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(f"{prefix}pack", 0, OFFSET_BEGINNING)])
    records: list[dict[str, Any]] = []
    while len(records) < number:
        (message,) = consumer.consume(1, PATIENCE_S) or [None]
        assert message is not None, f"{len(records)} records came"
        value = message.value()
        assert message.error() is None
        assert value is not None
        # As it is: this process knows nothing of the new stage.
        records.append(msgspec.msgpack.decode(value))
    consumer.close()
    return {record["post"]["post_id"]: record["links"]["count"] for record in records}
