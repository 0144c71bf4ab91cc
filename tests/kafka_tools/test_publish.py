from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest

from schemas import Priority, Stage
from streams.json_lines import Line, read_lines
from streams.kafka import MESSAGE_BYTES
from streams.publish import Delivered, head_of, publish
from streams.topology import STANDARD, URGENT
from tests.kafka_tools.conftest import Command, System


def lines(*values: bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(b"\n".join(values)), MESSAGE_BYTES))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", []),
        (b"a", [(1, b"a", 1)]),
        (b"a\n", [(1, b"a", 1)]),
        (b"a\n\nb\r\n\r\n", [(1, b"a", 1), (2, b"", 0), (3, b"b", 1), (4, b"", 0)]),
        (b"12345\n123456\nc", [(1, b"12345", 5), (2, b"12345", 6), (3, b"c", 1)]),
        (b"12345\r\n" + b"9" * 1000 + b"\nc", [(1, b"12345", 5), (2, b"99999", 1000), (3, b"c", 1)]),
        (b"9" * 1000, [(1, b"99999", 1000)]),
    ],
)
def test_lines_are_read_as_they_are_and_long_ones_in_part(content: bytes, found: list[tuple[int, bytes, int]]) -> None:
    assert list(read_lines(io.BytesIO(content), 5)) == found


@pytest.mark.parametrize(
    ("value", "key", "priority"),
    [
        (b'{"post_id": "p", "priority": "urgent"}', b"p", Priority.URGENT),
        (b'{"post_id": "p", "priority": "high"}', b"p", Priority.HIGH),
        (b'{"post_id": "p", "priority": "soon"}', b"p", Priority.STANDARD),
        (b'{"post_id": "p", "priority": ["urgent"]}', b"p", Priority.STANDARD),
        (b'{"post_id": 7, "priority": "urgent"}', None, Priority.URGENT),
        (b'{"post_id": ""}', None, Priority.STANDARD),
        (b'{"post_id": "' + b"x" * 257 + b'"}', None, Priority.STANDARD),
        (b'{"post_id": "\xff"}', None, Priority.STANDARD),
        (b'{"post_id": "\\ud800"}', None, Priority.STANDARD),
        (b'{"post_id": "p", "text": "no end', None, Priority.STANDARD),
        (b'{"post_id": "p", "x": ' + b"[" * 100_000, None, Priority.STANDARD),
        (b"null", None, Priority.STANDARD),
        (b"", None, Priority.STANDARD),
    ],
)
def test_key_and_lane_come_from_what_can_be_read(value: bytes, key: bytes | None, priority: Priority) -> None:
    assert head_of(value) == (key, priority)


def test_lines_arrive_byte_for_byte_with_their_key_in_their_lane(system: System) -> None:
    values = [
        b'{"post_id": "p-1", "text": "one"}',
        b'{"post_id": "p-2", "text": "two", "priority": "urgent"}',
        b"",
        b'{"broken": \xff\x00',
    ]
    summary = publish(system.settings, lines(*values))
    assert (summary.sent, summary.failed, summary.errors) == (4, 0, [])
    standard = system.read(system.topics.stage(Stage.INGEST, STANDARD), 3)
    assert {(message.key, message.value) for message in standard} == {
        (b"p-1", values[0]),
        (None, values[2]),
        (None, values[3]),
    }
    (urgent,) = system.read(system.topics.stage(Stage.INGEST, URGENT), 1)
    assert (urgent.key, urgent.value) == (b"p-2", values[1])


def test_one_posts_versions_stay_in_order_and_its_delete_comes_last(system: System) -> None:
    versions = [json.dumps({"post_id": "p", "text": str(at)}).encode() for at in range(200)]
    publish(system.settings, lines(*versions), deletes=["p"])
    found = system.read(system.topics.stage(Stage.INGEST), 201)
    assert [message.value for message in found] == [*versions, None]


def test_each_delivery_is_reported_with_its_place(system: System) -> None:
    delivered: list[Delivered] = []
    publish(system.settings, lines(b'{"post_id": "a"}', b"{"), deletes=["a"], on_delivered=delivered.append)
    assert sorted(str(place.line) for place in delivered) == ["1", "2", "None"]
    topic = system.topics.stage(Stage.INGEST)
    where = {(message.topic, message.partition, message.offset) for message in system.read(topic, 3)}
    assert {(place.topic, place.partition, place.offset) for place in delivered} == where


def test_what_is_too_large_has_failed_and_the_rest_is_published(system: System) -> None:
    # The broker's limit is one of compressed bytes: what no codec makes smaller is refused there, what is longer still
    # is not even held in memory.
    refused = random.Random(5).randbytes(3_000_000).replace(b"\n", b"x")
    endless = b"x" * (MESSAGE_BYTES + 10)
    summary = publish(system.settings, lines(b'{"post_id": "a"}', refused, endless))
    assert (summary.sent, summary.failed) == (1, 2)
    assert sorted(error.split(":")[0] for error in summary.errors) == ["line 2", "line 3"]


def test_the_command_confirms_and_summarises(system: System, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b'{"post_id": "a", "text": "x"}\n{\n')
    code, out, err = command("publish", path, "--delete", "gone", *system.flags)
    assert (code, out) == (0, "")
    assert "3 published, 0 failed" in err
    code, out, err = command("publish", path, "--json", *system.flags)
    assert json.loads(out)["sent"] == 2


def test_the_command_fails_when_a_single_message_did(system: System, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b'{"post_id": "a", "text": "x"}\n' + b"x" * (MESSAGE_BYTES + 1))
    code, _, err = command("publish", path, *system.flags)
    assert code == 1
    assert "not published: line 2: 4,325,377 bytes, expected at most 4,325,376" in err
    assert "1 published, 1 failed" in err
