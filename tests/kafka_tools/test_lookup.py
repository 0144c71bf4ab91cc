"""Finding single messages on the real Kafka."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from streams import lookup as searching
from streams.lookup import MOST_FOUND, Lookup
from streams.offsets import Place
from streams.partitioner import murmur2, partition_of
from streams.reader import Read
from streams.settings import Settings
from tests.kafka_tools.conftest import PARTITIONS, System

LIMIT = 1_000


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_kafkas_own(key: bytes, signed: int) -> None:
    """The cases of `UtilsTest.testMurmur2` in Apache Kafka."""
    assert murmur2(key) == signed % 2**32


def test_a_key_is_looked_for_where_our_producers_put_it(system: System) -> None:
    keys = [f"post-{number}-ü"[: number % 12 + 1] for number in range(60)]
    system.produce(system.topics.decisions, *((key, b"x") for key in keys))
    found = system.read(system.topics.decisions, len(keys))
    assert {(read.key, read.partition) for read in found} == {
        (key.encode(), partition_of(key.encode(), PARTITIONS)) for key in keys
    }


def test_the_newest_of_a_key_is_found_far_back_and_committed_ones_only(system: System) -> None:
    topic, lookup = system.topics.decisions, Lookup(system.settings, system.admin, "test", 100_000)
    system.produce(topic, ("p", b"one"), ("p", b"two"))
    system.transaction(topic, ("p", b"aborted"), commit=False)
    system.produce(topic, *(("other", b"x") for _ in range(1_200)), partition=partition_of(b"p", PARTITIONS))
    found = lookup.last_of(topic, b"p")
    assert [read.value for read in found.messages] == [b"one", b"two"]
    assert lookup.all_of(topic, b"p").whole
    assert [read.value for read in lookup.last_of(topic, b"p", lambda read: read.value == b"one").messages] == [b"one"]


def test_a_search_ends_at_its_limit_and_says_that_there_is_more(system: System) -> None:
    topic, lookup = system.topics.decisions, Lookup(system.settings, system.admin, "test", 100)
    where = partition_of(b"p", PARTITIONS)
    system.produce(topic, ("p", b"old"), partition=where)
    system.produce(topic, *(("other", b"x") for _ in range(150)), partition=where)
    found = lookup.last_of(topic, b"p")
    assert found.messages == ()
    assert not found.whole
    assert lookup.last_of(topic, b"never").messages == ()


def test_a_search_holds_no_stretch_whole_and_gives_the_newest_of_a_key_that_has_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Value(bytes):
        held = 0
        most = 0

        def __init__(self, _: bytes) -> None:
            Value.held += 1
            Value.most = max(Value.most, Value.held)

        def __del__(self) -> None:
            Value.held -= 1

    def messages(*args: Any) -> Iterator[Read]:
        start, end = (dict[Place, int](given)["t", 0] for given in args[3:])
        for offset in range(start, end):
            key = b"flood" if offset % 2 else b"other"
            yield Read("t", 0, offset, 0, key, Value(b"a large post"), ())

    def offsets(offset: int) -> Any:
        def found(admin: object, places: list[Place]) -> Mapping[Place, int]:
            return dict.fromkeys(places, offset)

        return found

    monkeypatch.setattr(searching, "places_of", lambda admin, topics: [("t", 0)])
    monkeypatch.setattr(searching, "first_offsets", offsets(0))
    monkeypatch.setattr(searching, "end_offsets", offsets(20_000))
    monkeypatch.setattr(searching, "read_between", messages)
    lookup = Lookup(Settings(), cast("Any", None), "test", 50_000)
    assert lookup.last_of("t", b"never").whole
    assert Value.most <= 2
    flood = lookup.all_of("t", b"flood")
    assert [read.offset for read in flood.messages] == list(range(20_000 - 2 * MOST_FOUND + 1, 20_000, 2))
    assert Value.most <= 3 * MOST_FOUND


def test_a_place_that_is_not_there_has_no_message(system: System) -> None:
    topic, lookup = system.topics.decisions, Lookup(system.settings, system.admin, "test", LIMIT)
    system.produce(topic, ("p", b"one"), partition=1)
    one = lookup.at(topic, 1, 0)
    assert one is not None
    assert one.value == b"one"
    assert [lookup.at(topic, *place) for place in ((1, 1), (1, -1), (0, 0), (99, 0))] == [None] * 4
