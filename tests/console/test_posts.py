"""One post, feedback on it, and the lists."""

from __future__ import annotations

import msgspec
import pytest

from console.posts import way_of
from schemas import Action, Feedback, Flag, Stage, encode_decision, encode_feedback, encode_flag
from tests.console.conftest import (
    AT,
    OPERATOR,
    REVIEWER,
    SCRIPT,
    TOPICS,
    VIEWER,
    Console,
    decision,
    read,
    took,
)

GIVEN = {"decision_id": "d-p-1", "post_id": "p-1", "verdict": "block", "labels": {"abuse": True}, "comment": "clear"}


def said(**changes: object) -> Feedback:
    made = {**GIVEN, "feedback_id": "f-1", "source": "review", "created_at": AT, **changes}
    return msgspec.convert(made, Feedback)


def test_a_post_is_joined_with_its_decision_feedback_and_way(console: Console) -> None:
    console.kafka.messages.append(read(TOPICS.feedback, encode_feedback(said(reviewer="rita"))))
    found = console.ask("GET", "/api/posts/p-1").json
    assert found["post"]["text"] == SCRIPT
    assert found["post"]["media"] == [{"media_id": "m-1", "kind": "image", "bytes": 5}]
    assert found["decision"]["decision_id"] == "d-p-1"
    assert found["feedback"][0]["reviewer"] == "rita"
    assert found["way"] == [
        {"stage": "ingest", "ms": 1.0, "engine": None},
        {"stage": "encode", "ms": 7.5, "engine": "CPU"},
    ]
    assert found["deleted"] is False


def test_a_viewer_sees_the_decision_and_no_content(guarded: Console) -> None:
    evidence = [{"modality": "text", "span": [0, 3], "text": "quoted", "score": 0.5}]
    made = encode_decision(decision()).replace(b'"evidence":[]', b'"evidence":' + msgspec.json.encode(evidence))
    guarded.kafka.messages[0] = read(TOPICS.decisions, made, offset=5)
    guarded.kafka.messages.append(read(TOPICS.feedback, encode_feedback(said())))
    seen = guarded.ask("GET", "/api/posts/p-1", token=VIEWER)
    found = seen.json
    assert found["post"] is None
    assert found["why_no_post"] == "your role does not show content"
    assert found["decision"]["evidence"] == [{"modality": "text", "span": [0, 3], "score": 0.5}]
    assert [item["src"] for item in found["media"]] == [None]
    assert found["feedback"][0]["verdict"] == "block"
    for content in (b"alert", b"quoted", b"clear"):
        assert content not in seen.body
    assert b"quoted" in guarded.ask("GET", "/api/posts/p-1", token=REVIEWER).body


def test_a_picture_is_shown_at_an_address_that_only_this_post_gave(guarded: Console) -> None:
    (item,) = guarded.ask("GET", "/api/posts/p-1", token=REVIEWER).json["media"]
    picture = guarded.ask("GET", item["src"], token=REVIEWER)
    assert picture.status == 200
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert picture.headers["Cache-Control"] == "no-store"
    assert guarded.ask("GET", item["src"], token=VIEWER).status == 403
    assert guarded.ask("GET", item["src"] + "x", token=REVIEWER).status == 404


def test_a_deleted_post_is_said_to_be_deleted_and_nothing_of_it_is_shown(console: Console) -> None:
    console.kafka.messages.append(read(TOPICS.decisions, None, offset=6))
    console.site.feeds.take([took("decisions", None, 6)])
    found = console.ask("GET", "/api/posts/p-1")
    assert found.json["deleted"] is True
    assert found.json["post"] is None
    assert b"alert" not in found.body
    assert console.ask("GET", "/api/decisions").json["decisions"] == []


def test_an_older_post_is_found_in_its_topic_and_one_that_never_was_is_not(console: Console) -> None:
    older = decision("p-0", source=msgspec.structs.replace(decision().source, offset=1))
    console.kafka.messages.append(read(TOPICS.decisions, encode_decision(older), "p-0", offset=1))
    assert console.ask("GET", "/api/posts/p-0").json["decision"]["decision_id"] == "d-p-0"
    missing = console.ask("GET", "/api/posts/never")
    assert missing.status == 404
    assert "50,000" in missing.json["error"]


def test_a_decision_that_points_at_anothers_message_shows_nothing_of_it(console: Console) -> None:
    console.kafka.messages[1] = read(
        TOPICS.stage(Stage.INGEST), b'{"post_id": "p-2", "text": "somebody else"}', key="p-2", offset=3
    )
    found = console.ask("GET", "/api/posts/p-1").json
    assert found["post"] is None
    assert found["why_no_post"] == "it is no longer in its topic"


def test_of_two_decisions_the_one_with_the_later_source_holds(console: Console) -> None:
    newer = decision(decision_id="d-new", source=msgspec.structs.replace(decision().source, timestamp_ms=2000))
    console.kafka.messages.insert(0, read(TOPICS.decisions, encode_decision(newer), offset=4))
    console.site.feeds.take([took("decisions", encode_decision(newer), 4)])
    assert console.ask("GET", "/api/posts/p-1").json["decision"]["decision_id"] == "d-new"


@pytest.mark.parametrize("post_id", ["%ED%A0%80", "x" * 3000, "..%2f..%2fetc"])
def test_ids_that_can_be_nobodys_are_not_found(post_id: str, console: Console) -> None:
    assert console.ask("GET", f"/api/posts/{post_id}").status == 404


def test_feedback_is_signed_by_the_server_and_nothing_of_that_can_be_forged(guarded: Console) -> None:
    forged = {
        **GIVEN,
        "reviewer": "somebody",
        "role": "operator",
        "source": "gold",
        "created_at": "1999-01-01T00:00:00Z",
        "feedback_id": "mine",
        "schema": "feedback/9",
    }
    answer = guarded.ask("POST", "/api/feedback", token=REVIEWER, json=forged)
    assert answer.status == 201
    (sent,) = guarded.kafka.sent
    assert (sent.reviewer, sent.role, sent.source) == ("rita", "reviewer", "review")
    assert sent.created_at.year > 2000
    assert sent.feedback_id == answer.json["feedback_id"] != "mine"
    assert (sent.verdict, sent.labels, sent.comment) == (Action.BLOCK, {"abuse": True}, "clear")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"verdict": "maybe"}, 400, "verdict"),
        ({"labels": {"abuse": "yes"}}, 400, "labels"),
        ({"spans": [{"span": [5, 2]}]}, 400, "spans[0].span"),
        ({"boxes": [{"media_id": "m", "bbox": [1, 2, 3]}]}, 400, "boxes[0].bbox"),
        ({"explanation_rating": 9}, 400, "explanation_rating"),
        ({"seconds_spent": -1}, 400, "seconds_spent"),
        ({"post_id": ""}, 400, "post_id"),
        ({"decision_id": "d-other"}, 404, "no such decision"),
        ({"post_id": "p-other"}, 404, "no such decision"),
    ],
)
def test_feedback_that_makes_no_sense_is_refused_by_its_field(
    change: dict[str, object], status: int, field: str, console: Console
) -> None:
    answer = console.ask("POST", "/api/feedback", json={**GIVEN, **change})
    assert answer.status == status
    assert field in answer.json["error"]
    assert console.kafka.sent == []


def test_decisions_are_listed_newest_first_by_every_condition(console: Console) -> None:
    others = [
        decision("p-2", action=Action.BLOCK, flags=("hate",), lang="de"),
        decision("p-3", action=Action.APPROVE, flags=(), tenant="acme"),
    ]
    console.site.feeds.take([took("decisions", encode_decision(one), 10 + at) for at, one in enumerate(others)])

    def listed(query: str) -> list[str]:
        return [row["post_id"] for row in console.ask("GET", f"/api/decisions?{query}").json["decisions"]]

    assert listed("") == ["p-3", "p-2", "p-1"]
    assert listed("limit=1") == ["p-3"]
    assert listed("action=block") == ["p-2"]
    assert listed("flag=abuse") == ["p-1"]
    assert listed("lang=de&action=block") == ["p-2"]
    assert listed("tenant=acme") == ["p-3"]
    assert listed("post_id=p-1") == ["p-1"]
    assert listed("action=&flag=&lang=de") == ["p-2"]
    for limit in ("0", "-1", "1001", "ten", "٣"):
        assert console.ask("GET", f"/api/decisions?limit={limit}").status == 400


def test_a_row_says_what_counts_and_quotes_nothing(console: Console) -> None:
    (row,) = console.ask("GET", "/api/decisions").json["decisions"]
    assert row["top"] == [["abuse", 0.91], ["insult", 0.5], ["hate", 0.2]]
    assert row["decided_at_ms"] == int(AT.timestamp() * 1000)


def test_flags_are_listed(console: Console) -> None:
    flag = Flag(
        flag_id="f", decision_id="d-p-1", post_id="p-1", tenant="default", flag="abuse", severity=2,
        action=Action.REVIEW, decided_at=AT, probability=0.91, threshold=0.5,
    )  # fmt: skip
    console.site.feeds.take([took("flags", encode_flag(flag), 1)])
    (row,) = console.ask("GET", "/api/flags").json["flags"]
    assert (row["flag"], row["probability"], row["threshold"]) == ("abuse", 0.91, 0.5)


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b"[" * 100, b'{"schema": "decision/2"}', SCRIPT.encode()])
def test_what_others_write_to_our_topics_is_not_shown_and_breaks_nothing(value: bytes, console: Console) -> None:
    before = console.ask("GET", "/api/decisions").json
    console.site.feeds.take([took("decisions", value, 50), took("flags", value, 51)])
    assert console.ask("GET", "/api/decisions").json == before


def test_graphs_are_named_by_the_stage_that_runs_them() -> None:
    made = decision(timings_ms={"ocr": 1, "asr": 2, "encode": 3, "fuse": 4, "other": 5})
    engines = {"text": "CPU", "image": "CUDA", "ocr": "CPU", "asr": "cpu int8", "fusion": "CPU"}
    made = msgspec.structs.replace(made, versions=msgspec.structs.replace(made.versions, engines=engines))
    assert [(row["stage"], row["engine"]) for row in way_of(made)] == [
        ("ocr", "CPU"),
        ("asr", "cpu int8"),
        ("encode", "CPU, CUDA"),
        ("fuse", "CPU"),
    ]
    assert way_of(None) == []


def test_an_operator_lists_dead_letters_without_their_values(guarded: Console) -> None:
    letter = read(TOPICS.dead_letters, b"the value", offset=4)._replace(
        headers=(("modstream-stage", b"encode"), ("modstream-cause", b"poison"), ("modstream-reason", b"it broke"))
    )
    from console.following import taken

    guarded.site.feeds.take([taken("dead-letters", letter)])
    answer = guarded.ask("GET", "/api/dead-letters?stage=encode", token=OPERATOR)
    (row,) = answer.json["dead_letters"]
    assert (row["cause"], row["reason"], row["post_id"], row["replayed"]) == ("poison", "it broke", "p-1", False)
    assert answer.json["total"] == 1
    assert b"the value" not in answer.body
    assert guarded.ask("GET", "/api/dead-letters?cause=other", token=OPERATOR).json["total"] == 0
