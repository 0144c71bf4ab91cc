from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime

import pytest

from schemas import (
    Action,
    Confidence,
    Decision,
    Flag,
    Modality,
    Source,
    Status,
    Versions,
    encode_confidence,
    encode_decision,
    encode_flag,
)
from streams.broker import LocalBroker
from streams.tail import Followed, Tail, Wanted
from tests.kafka_tools.conftest import Command, System

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
VERSIONS = Versions(code="1", pack="tiny@1", policy="default@1", layers=("default",))
MODALITIES = {"text": Modality(status=Status.OK, score=0.9, confidence=0.8, weight=1.0)}


def decision(post_id: str) -> bytes:
    return encode_decision(
        Decision(
            decision_id="d",
            post_id=post_id,
            tenant="default",
            lang="en",
            source=Source(topic="t.posts", partition=0, offset=1, timestamp_ms=1),
            action=Action.REVIEW,
            confidence=0.9,
            labels={"abuse": 0.91, "hate": 0.12},
            severity=2,
            modalities=MODALITIES,
            flags=("abuse",),
            versions=VERSIONS,
            decided_at=NOW,
        )
    )


def tail(system: System, wanted: Wanted, *, from_beginning: bool = True) -> list[tuple[str | None, bytes | None]]:
    following = Tail(system.settings, system.admin, Followed.DECISIONS, from_beginning=from_beginning)
    try:
        return [
            (message.key.decode() if message.key else None, message.value) for message in following.messages(wanted)
        ]
    finally:
        following.close()


def test_what_is_published_after_tailing_began_is_seen_and_nothing_older(system: System) -> None:
    topic = system.topics.decisions
    system.produce(topic, *((f"old-{at}", b"{}") for at in range(20)))
    following = Tail(system.settings, system.admin, Followed.DECISIONS, from_beginning=False)
    # Before the first message is asked for: the offsets were settled when tailing began.
    system.produce(topic, *((f"new-{at}", b"{}") for at in range(20)))
    seen = {message.key for message in following.messages(Wanted(count=20, timeout_s=30))}
    following.close()
    assert seen == {f"new-{at}".encode() for at in range(20)}


def test_from_the_beginning_everything_is_seen_in_the_order_of_each_post(system: System) -> None:
    messages = [(f"p-{at % 7}", str(at).encode()) for at in range(2000)]
    system.produce(system.topics.decisions, *messages)
    seen = tail(system, Wanted(count=2000, timeout_s=30))
    for name in {name for name, _ in messages}:
        assert [entry for entry in seen if entry[0] == name] == [entry for entry in messages if entry[0] == name]


def test_count_stops_at_once_and_timeout_when_nothing_comes(system: System) -> None:
    system.produce(system.topics.decisions, ("a", b"{}"), ("b", b"{}"), ("c", b"{}"))
    assert len(tail(system, Wanted(count=2, timeout_s=30))) == 2
    assert len(tail(system, Wanted(timeout_s=5))) == 3
    assert tail(system, Wanted(timeout_s=0.3), from_beginning=False) == []


def test_a_post_id_selects_what_concerns_one_post(system: System) -> None:
    system.produce(system.topics.decisions, ("a", b"1"), ("b", b"2"), ("aa", b"3"), ("a", None))
    assert tail(system, Wanted(post_id="a", count=2, timeout_s=30)) == [("a", b"1"), ("a", None)]


def test_aborted_messages_are_never_seen(system: System) -> None:
    system.transaction(system.topics.decisions, ("a", b"aborted"), commit=False)
    system.transaction(system.topics.decisions, ("a", b"committed"), commit=True)
    assert tail(system, Wanted(count=1, timeout_s=30)) == [("a", b"committed")]


def test_json_is_one_message_a_line_as_it_was_published(system: System, command: Command) -> None:
    system.produce(system.topics.decisions, ("p-1", decision("p-1")), ("p-1", None))
    code, out, err = command(
        "tail", "decisions", "--json", "--from-beginning", "--count", 2, "--timeout", 30, *system.flags
    )
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        json.loads(decision("p-1")),
        {"post_id": "p-1", "deleted": True},
    ]
    assert f"tailing {system.topics.decisions} from its beginning" in err


def test_a_dead_letter_is_an_object_with_every_byte(system: System, command: Command) -> None:
    value = b'{"broken": \xff\x00'
    system.dead_letter("p-1", value, field="text", cause="invalid_post")
    arguments = ("tail", "dead-letters", "--from-beginning", "--count", 1, "--timeout", 30, *system.flags)
    shown = json.loads(command(*arguments, "--json")[1])
    assert base64.b64decode(shown["value_base64"]) == value
    assert shown["key"] == "p-1"
    assert shown["topic"] == system.topics.dead_letters
    assert shown["headers"]["modstream-cause"] == "invalid_post"
    assert shown["headers"]["modstream-offset"] == "7"
    assert shown["headers"]["tenant"] == "acme"
    (line,) = command(*arguments)[1].splitlines()
    assert line.split() == [
        "p-1",
        f"{system.topics.prefix}posts-1:7",
        "encode",
        "invalid_post",
        *("text:", "it", "broke"),
    ]


def test_people_see_a_line_for_each_kind(system: System, command: Command) -> None:
    confidence = Confidence(
        decision_id="d", post_id="p-1", modalities=MODALITIES, combined={"abuse": 0.9}, versions=VERSIONS
    )
    flag = Flag(
        flag_id="f",
        decision_id="d",
        post_id="p-1",
        tenant="default",
        flag="abuse",
        probability=0.91,
        threshold=0.5,
        severity=2,
        action=Action.REVIEW,
        decided_at=NOW,
    )
    system.produce(system.topics.decisions, ("p-1", decision("p-1")))
    system.produce(system.topics.confidence, ("p-1", encode_confidence(confidence)))
    system.produce(system.topics.flags, ("p-1", encode_flag(flag)))
    shown = [
        command("tail", what, "--from-beginning", "--count", 1, "--timeout", 30, *system.flags)[1].split()
        for what in ("decisions", "confidence", "flags")
    ]
    assert shown == [
        ["p-1", "review", "en", "abuse", "0.91,", "hate", "0.12", "abuse"],
        ["p-1", "text", "ok", "0.80"],
        ["p-1", "abuse", "0.91", "review"],
    ]


def test_a_message_that_is_none_of_ours_is_named_and_passed_over(system: System, command: Command) -> None:
    system.produce(system.topics.decisions, ("x", b"\x1b[31mnot json"), ("p-1", decision("p-1")), partition=0)
    for arguments in (("--json",), ()):
        code, out, err = command(
            "tail", "decisions", "--from-beginning", "--count", 2, "--timeout", 30, *arguments, *system.flags
        )
        assert code == 0
        assert len(out.splitlines()) == 1
        assert f"{system.topics.decisions}-0:0 is no message of ours" in err


@pytest.mark.parametrize(("arguments", "code"), [(("--count", 3), 1), ((), 0)])
def test_time_that_is_over_is_a_failure_only_where_a_count_was_asked_for(
    arguments: tuple[object, ...], code: int, system: System, command: Command
) -> None:
    system.produce(system.topics.flags, ("a", b"{}"))
    ended, _, err = command("tail", "flags", "--json", "--from-beginning", "--timeout", 1, *arguments, *system.flags)
    assert ended == code
    assert ("modstream: 1 of 3 messages came within 1 s" in err) == bool(code)


def test_messages_are_shown_as_they_come(system: System) -> None:
    following = Tail(system.settings, system.admin, Followed.FLAGS, from_beginning=False)
    first = threading.Event()

    def produce() -> None:
        system.produce(system.topics.flags, ("a", b"1"))
        assert first.wait(30)
        system.produce(system.topics.flags, ("b", b"2"))

    producing = threading.Thread(target=produce)
    producing.start()
    seen: list[bytes | None] = []
    for message in following.messages(Wanted(count=2, timeout_s=30)):
        seen.append(message.value)
        first.set()  # the second is published only once the first was seen
    producing.join()
    following.close()
    assert seen == [b"1", b"2"]


def test_a_broker_that_was_away_does_not_end_the_tail(system: System, kafka: LocalBroker) -> None:
    following = Tail(system.settings, system.admin, Followed.DECISIONS, from_beginning=False)
    system.produce(system.topics.decisions, ("a", b"before"))
    messages = following.messages(Wanted(count=2, timeout_s=90))
    assert next(messages).value == b"before"
    kafka.stop()
    kafka.start()
    system.produce(system.topics.decisions, ("a", b"after"))
    assert next(messages).value == b"after"
    following.close()
