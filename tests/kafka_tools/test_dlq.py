from __future__ import annotations

import base64
import json
import time

import pytest

from schemas import DeadLetterHeaders, Stage
from streams import dlq
from streams.dlq import DeadLetters, Selection, restored_headers
from streams.reader import Read
from streams.topology import Topics
from tests.kafka_tools.conftest import Command, System


@pytest.fixture
def letters(system: System) -> System:
    """Six dead letters: two of p-0, one without a topic of ours, one of another stage and cause."""
    now_ms = int(time.time() * 1000)
    dead: list[tuple[str, bytes | None, int, dict[str, str]]] = [
        ("p-0", b"zero", 0, {}),
        ("p-1", b"one \xff", 1, {}),
        ("p-2", b"two", 2, {"stage": "ingest", "cause": "invalid_post", "field": "text"}),
        ("p-3", None, 0, {}),
        ("p-0", b"zero again", 0, {}),
        ("lost", b"lost", 1, {"topic": "somewhere.else"}),
    ]
    for at, (key, value, partition, ours) in enumerate(dead):
        system.dead_letter(key, value, partition=partition, at_ms=now_ms + at, offset=10 + at, **ours)
    return system


def posts(system: System, count: int) -> list[tuple[bytes | None, bytes | None]]:
    return sorted(
        ((message.key, message.value) for message in system.read(system.topics.stage(Stage.INGEST), count)),
        key=lambda entry: (entry[0] or b"", entry[1] or b""),
    )


POSTS = [(b"p-0", b"zero"), (b"p-0", b"zero again"), (b"p-1", b"one \xff"), (b"p-2", b"two"), (b"p-3", None)]


def replay(system: System, *names: str, again: bool = False, dry_run: bool = False) -> dlq.Replay:
    found = DeadLetters(system.settings, system.admin)
    return found.replay(Selection.of(names, system.topics), again=again, dry_run=dry_run)


def test_a_replay_puts_bytes_and_key_back_where_they_came_from(letters: System) -> None:
    done = replay(letters)
    assert posts(letters, 5) == POSTS
    assert done.by_topic == {letters.topics.stage(Stage.INGEST): 5}
    assert done.homeless == [f"{letters.topics.dead_letters}-1:1"]


def test_what_was_replayed_is_not_replayed_again_unless_asked_for(letters: System) -> None:
    replay(letters)
    second = replay(letters)
    assert (second.by_topic.total(), second.before) == (0, 5)
    assert posts(letters, 5) == POSTS
    letters.dead_letter("p-9", b"nine", partition=0)
    assert replay(letters).by_topic.total() == 1
    assert replay(letters, again=True).by_topic.total() == 6
    assert len(posts(letters, 12)) == 12


def test_selected_ones_are_remembered_too(letters: System) -> None:
    assert replay(letters, "p-0", "p-2").by_topic.total() == 3
    rest = replay(letters)
    assert (rest.by_topic.total(), rest.before) == (2, 3)
    assert posts(letters, 5) == POSTS


def test_a_dry_run_publishes_and_remembers_nothing(letters: System) -> None:
    assert replay(letters, dry_run=True).by_topic.total() == 5
    assert posts(letters, 0) == []
    assert replay(letters).by_topic.total() == 5


def test_a_replay_in_many_transactions_is_the_same(letters: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlq, "CHUNK_MESSAGES", 2)
    assert replay(letters).by_topic.total() == 5
    assert posts(letters, 5) == POSTS
    assert replay(letters).before == 5


def test_what_dies_again_meanwhile_is_not_replayed_in_the_same_run(letters: System) -> None:
    found = DeadLetters(letters.settings, letters.admin)
    letters.dead_letter("late", b"late")
    done = found.replay(Selection())
    assert done.by_topic.total() == 5
    assert posts(letters, 5) == POSTS


def test_a_replay_that_fails_has_published_nothing_of_its_transaction(
    letters: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(letter: Read) -> list[tuple[str, bytes]]:
        if letter.key == b"p-3":
            raise ZeroDivisionError
        return restored_headers(letter)

    monkeypatch.setattr(dlq, "restored_headers", broken)
    with pytest.raises(ZeroDivisionError):
        replay(letters)
    monkeypatch.undo()
    assert replay(letters).by_topic.total() == 5
    assert posts(letters, 5) == POSTS


def test_a_replayed_message_begins_anew_and_keeps_its_origin_and_its_own_headers(letters: System) -> None:
    replay(letters, "p-2")
    (message,) = letters.read(letters.topics.stage(Stage.INGEST), 1)
    assert message.origin == DeadLetterHeaders(
        attempt=1,
        topic=letters.topics.stage(Stage.INGEST),
        partition=1,
        offset=12,
        timestamp_ms=1_700_000_000_000,
    )
    assert {name: value for name, value in message.headers if not name.startswith("modstream-")} == {
        "tenant": b"acme",
        "traceparent": b"00-1",
    }


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["p-0"], [b"p-0", b"p-0"]),
        (["t.dead-letters-0:3"], [b"a"]),
        (["t.posts-1:7"], [b"b"]),
        (["p-0", "t.posts-1:7"], [b"b", b"p-0", b"p-0"]),
        (["other.posts-1:7"], []),
        (["elsewhere-1:7"], [b"elsewhere-1:7"]),
        ([], [b"a", b"b", b"elsewhere-1:7", b"p-0", b"p-0"]),
    ],
)
def test_dead_letters_are_selected_by_post_by_their_place_and_by_their_origin(
    names: list[str], keys: list[bytes]
) -> None:
    topics = Topics("t.")
    origin = DeadLetterHeaders(topic="t.posts", partition=1, offset=7)
    letters = [
        Read("t.dead-letters", 0, 1, 0, b"p-0", b"", ()),
        Read("t.dead-letters", 0, 2, 0, b"p-0", b"", ()),
        Read("t.dead-letters", 0, 3, 0, b"a", b"", ()),
        Read("t.dead-letters", 0, 4, 0, b"b", b"", tuple(origin.to_headers())),
        Read("t.dead-letters", 0, 5, 0, b"elsewhere-1:7", b"", ()),
    ]
    selection = Selection.of(names, topics)
    assert sorted(letter.key or b"" for letter in letters if selection.holds(letter)) == keys


def test_list_shows_the_latest_and_counts_all(letters: System, command: Command) -> None:
    replay(letters, "p-2")
    code, out, err = command("dlq", "list", "--json", *letters.flags)
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [row["key"] for row in rows] == ["p-0", "p-1", "p-2", "p-3", "p-0", "lost"]
    assert [row["key"] for row in rows if row["replayed"]] == ["p-2"]
    assert rows[2] | {"at_ms": 0} == {
        "place": f"{letters.topics.dead_letters}-2:0",
        "at_ms": 0,
        "key": "p-2",
        "bytes": 3,
        "replayed": True,
        "stage": "ingest",
        "cause": "invalid_post",
        "reason": "it broke",
        "field": "text",
        "attempt": 2,
        "not_before_ms": None,
        "topic": letters.topics.stage(Stage.INGEST),
        "partition": 1,
        "offset": 12,
        "timestamp_ms": 1_700_000_000_000,
        "code": "0.1.0",
        "pack": "tiny@1",
        "policy": None,
        "traceparent": None,
    }
    code, out, err = command("dlq", "list", "--limit", 2, *letters.flags)
    assert [line.split()[5] for line in out.splitlines()[1:]] == ["p-0", "lost"]
    assert "6 dead letters, the latest 2 are shown" in err
    code, out, err = command("dlq", "list", "--cause", "invalid_post", "--stage", "ingest", *letters.flags)
    assert len(out.splitlines()) == 2
    assert "text: it broke" in out


def test_show_has_headers_key_and_value(letters: System, command: Command) -> None:
    place = f"{letters.topics.stage(Stage.INGEST)}-1:11"
    code, out, _ = command("dlq", "show", place, *letters.flags)
    assert code == 0
    assert place in out
    assert "it broke" in out
    assert "one \ufffd" in out
    shown = json.loads(command("dlq", "show", "p-1", "--json", *letters.flags)[1])
    assert base64.b64decode(shown["value_base64"]) == b"one \xff"
    assert len(command("dlq", "show", "p-0", "--json", *letters.flags)[1].splitlines()) == 2


@pytest.mark.parametrize("action", ["show", "replay"])
def test_a_post_without_a_dead_letter_is_named(action: str, letters: System, command: Command) -> None:
    code, out, err = command("dlq", action, "nobody", *letters.flags)
    assert (code, out) == (1, "")
    assert err.splitlines() == ["modstream: no dead letter matches nobody: `modstream dlq list` shows those there are"]


def test_the_replay_command_says_what_went_where(letters: System, command: Command) -> None:
    topic = letters.topics.stage(Stage.INGEST)
    code, _, err = command("dlq", "replay", "--all", "--cause", "invalid_post", "--dry-run", *letters.flags)
    assert code == 0
    assert err.splitlines() == [f"1 would go back to {topic}", "1 dead letter would be replayed"]
    code, out, err = command("dlq", "replay", "--all", "--json", *letters.flags)
    assert code == 1  # one of them has nowhere to go
    assert json.loads(out) == {
        "replayed": 5,
        "by_topic": {topic: 5},
        "before": 0,
        "homeless": [f"{letters.topics.dead_letters}-1:1"],
        "dry_run": False,
    }
    assert "cannot be replayed: its header modstream-topic names no topic of the chain" in err
    code, _, err = command("dlq", "replay", "p-1", *letters.flags)
    assert code == 0
    assert "1 dead letter replayed before and left alone (--again replays them again)" in err
    assert posts(letters, 5) == POSTS


def test_no_dead_letters_are_no_failure(system: System, command: Command) -> None:
    assert command("dlq", "list", *system.flags) == (0, "", "0 dead letters\n")
    assert command("dlq", "replay", "--all", *system.flags) == (0, "", "0 dead letters replayed\n")
