"""A policy over published decisions: exactly the posts that change, without a model."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from schemas import Decision, Post, Source, Stage, encode_decision
from tests.replay.conftest import BEFORE, Done, Past, Replay, decided, policy_file, posts, record_of


def judged_fully(past: Past, policy: Path) -> dict[str, Decision]:
    """What the whole chain decides on the published posts with another policy."""
    topic = past.system.topics.stage(Stage.INGEST)
    records = [
        record_of(of.value or b"", Source(topic=of.topic, partition=of.partition, offset=of.offset, timestamp_ms=1))
        for of in past.system.read(topic, 0)
    ]
    return {decision.post_id: decision for decision in decided(past.pack, policy, records)}


def assert_exact(done: Done, full: dict[str, Decision], what: str) -> int:
    """Every pair that was judged again says what the chain says; how many those are."""
    judged = 0
    for post_id, pair in done.pairs.items():
        if (now := pair.get("now")) is None:
            continue
        judged += 1
        decision = full[post_id]
        about = f"{what}: {post_id}"
        assert (now["action"], now["flags"]) == (decision.action, list(decision.flags)), about
        assert now["labels"] == decision.labels, about
        assert now["severity"] in (None, decision.severity), about
        assert now["rules"] == [reason.rule for reason in decision.reasons], about
    return judged


LAYERS = """\
  tenants: {acme: {thresholds: {abuse: 0.0215}}}
  regions: {EU: {thresholds: {hate: 0.008}}}
  languages: {de: {thresholds: {abuse: 0.001}}, en: {thresholds: {hate: 0.3}}}
"""

CHANGES = {
    "a higher threshold": ("abuse: 0.5", "abuse: 0.97"),
    "one that harmless posts are over": ("abuse: 0.5", "abuse: 0.0215"),
    "a lower threshold": ("hate: 0.4", "hate: 0.02"),
    "two thresholds": ("abuse: 0.5, hate: 0.4", "abuse: 0.001, hate: 0.9"),
    "another rule": ("scores.hate >= 0.9", "scores.hate >= 0.5 || severity >= 3"),
    "a rule over severity": ("scores.hate >= 0.9", "severity == 2"),
    "a rule over a modality": ("scores.hate >= 0.9", 'modalities.text.weight < 1.0 && "abuse" in flags'),
    "a rule over features of texts": ("scores.hate >= 0.9", "features.letters < 5.0"),
    "a rule over the post": ("scores.hate >= 0.9", 'post.reach > 50.0 && post.region == "EU"'),
    "layers": ("  default:", LAYERS + "  default:"),
    "thresholds of a severity": ("hate: 0.4", "hate: 0.4, severity.2: 0.01, severity.3: 0.99"),
}


@pytest.mark.parametrize("known", [True, False], ids=["policy known", "policy unknown"])
def test_what_a_policy_alone_decides_is_what_the_chain_decides(
    known: bool, full: Past, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.setenv("MODSTREAM_POLICY", str(policy_file(tmp_path, BEFORE, "stranger")))
    for change, (old, new) in CHANGES.items():
        policy = policy_file(tmp_path, BEFORE.replace(old, new))
        done = replay("--policy", policy, out=change)
        assert done.code == 0, done.err
        assert len(done.pairs) == len(full.published())
        decided = assert_exact(done, judged_fully(full, policy), change)
        assert decided >= 60, change
        assert decided + sum(done.report["undecided"].values()) == len(done.pairs)


def test_a_changed_threshold_shows_exactly_the_posts_that_change(full: Past, replay: Replay, tmp_path: Path) -> None:
    policy = policy_file(tmp_path, BEFORE.replace("abuse: 0.5", "abuse: 0.0215"))
    done = replay("--policy", policy, "--full-where-needed")
    was, now = full.published(), judged_fully(full, policy)
    expected = {post_id for post_id in was if was[post_id].action is not now[post_id].action}
    assert expected
    assert {
        post_id for post_id, pair in done.pairs.items() if pair["was"]["action"] != pair["now"]["action"]
    } == expected
    assert done.report["changed"] == len(expected)
    assert done.report["undecided"] == {}
    assert assert_exact(done, now, "full where needed") == len(was)


def test_posts_that_a_policy_alone_cannot_decide_are_counted_with_the_reason(
    past: Past, replay: Replay, tmp_path: Path
) -> None:
    # Of two letters the text weighs half: its probability was drawn back to a threshold that is another one now.
    past.publish(Post(post_id="short", text="scum"), Post(post_id="odd", text="scum 漢字"))
    past.decide()
    weights = {of.post_id: of.modalities["text"].weight for of in past.published().values()}
    assert weights["odd"] != 1.0
    done = replay("--policy", policy_file(tmp_path, BEFORE.replace("abuse: 0.5", "abuse: 0.6")))
    assert done.report["undecided"] == {"gating": 1}
    assert done.pairs["odd"]["undecided"] == "gating"
    assert "1 not judged again: a badly read part is drawn back" in done.err


def test_the_policy_that_made_the_decisions_changes_nothing(full: Past, replay: Replay) -> None:
    done = replay("--policy", full.policy)
    assert done.report["differing"] == 0
    assert done.report["compared"] == 96


def test_decisions_of_another_pack_are_not_guessed_at(
    full: Past, other_pack: Path, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODSTREAM_PACK", str(other_pack))
    done = replay("--policy", policy_file(tmp_path, BEFORE.replace("abuse: 0.5", "abuse: 0.6")))
    assert done.report["undecided"] == {"another_pack": 96}


def test_a_decision_that_its_own_policy_does_not_come_to_is_not_decided(
    past: Past, replay: Replay, tmp_path: Path
) -> None:
    past.publish(*posts(3))
    decision = past.decide()["p-2"]
    tampered = msgspec.structs.replace(decision, flags=("abuse",))
    past.system.produce(past.system.topics.decisions, ("p-2", encode_decision(tampered)))
    done = replay("--policy", policy_file(tmp_path, BEFORE.replace("abuse: 0.5", "abuse: 0.6")))
    assert done.report["undecided"] == {"not_reproduced": 1}
