"""A full replay: the whole chain over the posts, beside the live chain."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import streams.replay.candidates
from schemas import Decision, Feedback, Media, Post, Source, Stage, Status, encode_decision, encode_feedback
from streams.kafka import common_settings, new_consumer, reader_settings
from streams.offsets import committed_offsets, end_offsets, places_of
from tests.replay.conftest import BEFORE, Past, Replay, decided, policy_file, posts, record_of

FILES = ("report.json", "report.html", "pairs.jsonl")


def judged_now(past: Past, pack: Path, policy: Path) -> dict[str, Decision]:
    """From the raw topic, by the chain's own processors."""
    records = [
        record_of(of.value or b"", Source(topic=of.topic, partition=of.partition, offset=of.offset, timestamp_ms=1))
        for of in past.system.read(past.system.topics.stage(Stage.INGEST), 0)
    ]
    return {decision.post_id: decision for decision in decided(pack, policy, records)}


def say(
    past: Past, decision: Decision, verdict: str, *, at: int = 0, decision_id: str | None = None, **labels: bool
) -> None:
    feedback = Feedback(
        feedback_id=f"f-{decision.post_id}-{at}",
        decision_id=decision_id or decision.decision_id,
        post_id=decision.post_id,
        source="review",
        verdict=verdict,  # type: ignore[arg-type]
        labels=labels,
        created_at=datetime(2040, 1, 1, 0, 0, at, tzinfo=UTC),
    )
    past.system.produce(past.system.topics.feedback, (decision.post_id, encode_feedback(feedback)))


def test_the_numbers_of_the_report_are_those_of_the_raw_topics(full: Past, other_pack: Path, replay: Replay) -> None:
    was = full.published()
    rng = np.random.default_rng(3)
    truths: dict[str, tuple[str, bool]] = {}
    for at, decision in enumerate(was.values()):
        truth = ("approve", "review", "block")[rng.integers(3)]
        holds = bool(rng.integers(2))
        say(full, decision, "approve" if truth != "approve" else "block")  # taken back by the next
        say(full, decision, truth, at=1, abuse=holds, spam=at % 2 == 0)
        truths[decision.post_id] = truth, holds
    done = replay("--pack", other_pack)
    assert done.code == 0, done.err
    now = judged_now(full, other_pack, full.policy)
    report = done.report
    assert report["question"]["mode"] == "chain"
    assert report["compared"] == report["decisions"] == len(was) == len(now)
    assert report["undecided"] == {}
    # Actions, by hand.
    moves = Counter((was[post_id].action, now[post_id].action) for post_id in was)
    assert {(of["was"], of["now"]): of["posts"] for of in report["actions"] if of["posts"]} == moves
    changed = sum(count for (then, after), count in moves.items() if then is not after)
    assert report["changed"] == changed > 0
    assert report["changed_share"]["value"] == pytest.approx(changed / len(was), abs=1e-6)
    # Labels and flags.
    for of in report["labels"]:
        label = of["label"]
        shifts = [
            now[post_id].labels[label] - was[post_id].labels[label] for post_id in was if label in was[post_id].labels
        ]
        assert of["posts"] == len(shifts)
        assert of["mean"] == pytest.approx(np.mean(shifts), abs=1e-6)
        assert of["mean_absolute"] == pytest.approx(np.mean(np.abs(shifts)), abs=1e-6)
        assert of["moved"] == sum(abs(round(shift, 6)) > 0.05 for shift in shifts)
        assert of["raised"] == sum(label in now[at].flags and label not in was[at].flags for at in was)
        assert of["dropped"] == sum(label in was[at].flags and label not in now[at].flags for at in was)
    assert [of["label"] for of in report["labels"]] == ["abuse", "hate"]
    for of in report["flags"]:
        assert of["now"] == sum(of["flag"] in decision.flags for decision in now.values())
    # Groups.
    for by, groups in (("lang", report["languages"]), ("tenant", report["tenants"])):
        for of in groups:
            inside = [post_id for post_id in was if getattr(was[post_id], by) == of["name"]]
            assert of["posts"] == len(inside)
            assert of["changed"] == sum(was[at].action is not now[at].action for at in inside)
        assert sum(of["posts"] for of in groups) == len(was)
    # Beside what people said.
    questions = {of["about"]: of for of in report["feedback"]["questions"]}
    assert report["feedback"] | {"questions": []} == {
        "posts": len(was),
        "by_decision": len(was),
        "by_post": 0,
        "questions": [],
    }
    truth = {at: truths[at][0] != "approve" for at in was}
    for side, decisions in (("was", was), ("now", now)):
        said = {at: decisions[at].action != "approve" for at in was}
        check(questions["restricted"], side, truth, said)
        holds = {at: truths[at][1] for at in was}
        check(questions["abuse"], side, holds, {at: "abuse" in decisions[at].flags for at in was})
    # Most changed first, and no content.
    steps = [abs(ORDER.index(of["was"]) - ORDER.index(of["now"])) for of in report["most"]]
    assert steps == sorted(steps, reverse=True)
    for name in FILES:
        assert "scum" not in (done.folder / name).read_text()


ORDER = ["approve", "review", "block"]


def check(question: Any, side: str, truth: dict[str, bool], said: dict[str, bool]) -> None:
    cells = Counter((truth[at], said[at]) for at in truth)
    expected = {
        "precision": (cells[True, True], cells[True, True] + cells[False, True]),
        "recall": (cells[True, True], cells[True, True] + cells[True, False]),
        "false positives": (cells[False, True], cells[False, True] + cells[False, False]),
    }
    figures = {of["name"]: of for of in question["figures"]}
    for name, (above, below) in expected.items():
        assert figures[name][side]["value"] == pytest.approx(above / below, abs=1e-6)
        assert figures[name][side]["low"] <= figures[name][side]["value"] <= figures[name][side]["high"]
        assert math.isclose(
            figures[name]["difference"]["value"],
            figures[name]["now"]["value"] - figures[name]["was"]["value"],
            abs_tol=2e-6,
        )


def test_the_live_chain_is_left_alone(full: Past, other_pack: Path, replay: Replay) -> None:
    system = full.system
    place = (system.topics.stage(Stage.INGEST), 0)
    system.commit({place: 3})
    ends = {topic: end_offsets(system.admin, places_of(system.admin, [topic])) for topic in system.topics.all()}
    assert replay("--pack", other_pack).code == 0
    assert replay("--policy", full.policy, out="two").code == 0
    assert {topic: end_offsets(system.admin, places_of(system.admin, [topic])) for topic in ends} == ends
    settings = {
        **common_settings(system.settings.kafka, "test"),
        **reader_settings(),
        "group.id": system.settings.group,
    }
    consumer = new_consumer(settings, lambda error: None)
    assert committed_offsets(consumer, [place])[place].offset == 3
    consumer.close()
    groups = {of.group_id for of in system.admin.list_consumer_groups().result().valid}
    assert not {group for group in groups if group.startswith(f"{system.settings.group}.")}


KILLED = """
import os, signal, sys
import streams.replay.candidates
from commands.main import main
from streams.replay.run import Replay

streams.replay.candidates.PIECE_POSTS = streams.replay.candidates.PIECE_DECISIONS = 7
pieces = Replay._pieces

def killed(run):
    for at, piece in enumerate(pieces(run)):
        if at == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield piece

Replay._pieces = killed
main(sys.argv[1:])
"""
"""`modstream`, but that it is killed when three pieces have been judged."""


@pytest.mark.parametrize("way", ["policy", "chain", "posts needed"])
def test_a_replay_that_was_killed_goes_on_and_ends_with_the_same_bytes(
    way: str, full: Past, other_pack: Path, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = BEFORE.replace("hate: 0.4", "hate: 0.008")
    needing = changed.replace("scores.hate >= 0.9", "post.reach > 9.0")
    arguments: dict[str, tuple[object, ...]] = {
        "policy": ("--policy", policy_file(tmp_path, changed)),
        "chain": ("--pack", other_pack, "--with-text"),
        "posts needed": ("--policy", policy_file(tmp_path, needing, "needing")),
    }
    monkeypatch.setattr(streams.replay.candidates, "PIECE_POSTS", 7)
    monkeypatch.setattr(streams.replay.candidates, "PIECE_DECISIONS", 7)
    whole = replay(*arguments[way], out="whole")
    assert whole.code == 0, whole.err
    command = ["replay", *full.system.flags, "--out", str(tmp_path / "cut"), *map(str, arguments[way])]
    assert subprocess.run([sys.executable, "-c", KILLED, *command], check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "cut" / "report.json").exists()
    # What is published meanwhile does not count.
    full.publish(*posts(5))
    full.decide()
    again = replay(*arguments[way], out="cut")
    assert again.code == 0, again.err
    assert "going on where it was" in again.err
    for name in FILES:
        assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes(), name
    assert replay(*arguments[way], out="cut").code == 0
    assert (again.folder / "report.json").read_bytes() == (whole.folder / "report.json").read_bytes()


def test_what_cannot_be_compared_is_counted(past: Past, other_pack: Path, replay: Replay) -> None:
    system, topic = past.system, past.system.topics.stage(Stage.INGEST)
    past.publish(*posts(4), Post(post_id="edited", text="hello"), Post(post_id="gone", text="good day"))
    past.publish(Post(post_id="edited", text="hello world"))
    decisions = past.decide()
    system.produce(system.topics.decisions, ("p-1", None))
    system.produce(topic, ("p-1", None))
    system.produce(topic, ("x", b"no post"))
    system.produce(topic, ("late", b'{"post_id": "late", "text": "nobody has decided yet"}'))
    source = Source(topic=topic, partition=0, offset=10**6, timestamp_ms=1)
    elsewhere = msgspec.structs.replace(decisions["gone"], post_id="lost", source=source)
    system.produce(system.topics.decisions, ("lost", encode_decision(elsewhere)))
    system.produce(system.topics.decisions, ("z", b'{"schema": "decision/1"}'))
    system.produce(system.topics.feedback, ("z", b"{}"))
    done = replay("--pack", other_pack, "--json")
    assert done.code == 0, done.err
    assert done.report["counts"] == {
        "broken_decisions": 1,
        "broken_feedback": 1,
        "deleted": 1,
        "deletes": 1,
        "invalid": 1,
        "no_decision": 1,
        "posts": 8,
        "superseded": 1,
    }
    assert done.report["undecided"] == {"post_gone": 1}
    assert (done.report["decisions"], done.report["compared"]) == (6, 5)
    assert json.loads(done.out)["compared"] == 5
    assert "note: 1 message of the decisions' topic are no decision, and left out; the first: " in done.err


def test_media_that_are_gone_are_counted_and_not_compared(
    past: Past, other_pack: Path, replay: Replay, tmp_path: Path
) -> None:
    media = Media(media_id="m", kind="image", uri=f"store:{'a' * 64}")
    past.publish(Post(post_id="pictured", text="hello", media=(media,)), Post(post_id="plain", text="hello"))
    decision = past.decide()["pictured"]
    fine = {name: msgspec.structs.replace(of, status=Status.ABSENT) for name, of in decision.modalities.items()}
    published = msgspec.structs.replace(decision, modalities=fine, decision_id="of other media")
    past.system.produce(past.system.topics.decisions, ("pictured", encode_decision(published)))
    done = replay("--pack", other_pack, "--store-url", tmp_path / "store")
    assert done.report["undecided"] == {"media_gone": 1}
    assert done.report["compared"] == 1
    assert list((tmp_path / "store").rglob("*")) == []


def test_feedback_on_an_earlier_decision_counts_for_the_same_version_of_the_post_only(
    past: Past, other_pack: Path, replay: Replay
) -> None:
    past.publish(*posts(3))
    decisions = past.decide()
    say(past, decisions["p-0"], "approve", decision_id="by another policy")
    say(past, decisions["p-2"], "block")
    long_ago = Feedback(
        feedback_id="old",
        decision_id="on an older version",
        post_id="p-1",
        source="gold",
        verdict="block",  # type: ignore[arg-type]
        created_at=datetime(2001, 1, 1, tzinfo=UTC),
    )
    past.system.produce(past.system.topics.feedback, ("p-1", encode_feedback(long_ago)))
    done = replay("--pack", other_pack)
    assert {post_id: pair.get("said", {}).get("about") for post_id, pair in done.pairs.items()} == {
        "p-0": "post",
        "p-1": None,
        "p-2": "decision",
    }
    assert (done.report["feedback"]["by_decision"], done.report["feedback"]["by_post"]) == (1, 1)


def test_authors_are_keyed_hashes_or_left_out_and_texts_are_shown_only_where_asked_for(
    past: Past, other_pack: Path, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.publish(*posts(8))
    past.decide()
    assert all("author" not in pair for pair in replay("--pack", other_pack, out="none").pairs.values())
    monkeypatch.setenv("MODSTREAM_PRIVACY__HASH_KEY", "a key of the tests")
    done = replay("--pack", other_pack, "--with-text", out="keyed")
    assert all(len(pair["author"]) == 24 for pair in done.pairs.values())
    assert done.pairs["p-0"]["author"] != done.pairs["p-7"]["author"]  # the same name at two tenants
    assert "u-" not in (done.folder / "pairs.jsonl").read_text()
    assert done.pairs["p-2"]["text"] == "you are all scum"
    assert "you are all scum" in (done.folder / "report.html").read_text()
    monkeypatch.setenv("MODSTREAM_PRIVACY__HASH_KEY", "another key")
    assert replay("--pack", other_pack, out="keyed").code == 1
