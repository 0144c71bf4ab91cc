"""Which posts a replay takes, and what it says of questions that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.canary import place_of
from schemas import Stage
from streams.replay.question import QuestionError, Selection, moment_ms, stretch_of
from streams.replay.store import ReplayStore
from streams.settings import CanarySettings
from tests.replay.conftest import BEFORE, NOW_MS, Past, Replay, policy_file, posts

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("2h", NOW_MS - 2 * HOUR_MS),
        ("1.5h", NOW_MS - HOUR_MS * 3 // 2),
        ("7d", NOW_MS - 7 * 24 * HOUR_MS),
        ("1970-01-01T00:00:10Z", 10_000),
        ("1970-01-01T00:00:10", 10_000),
        ("1970-01-01T02:00:00+01:00", HOUR_MS),
        ("1970-01-02", 24 * HOUR_MS),
    ],
)
def test_times_are_iso_or_how_long_ago(text: str, expected_ms: int) -> None:
    assert moment_ms(text, NOW_MS) == expected_ms


@pytest.mark.parametrize("text", ["", "soon", "2", "h", "-2h", "2026-13-01", "2h 3m"])
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    with pytest.raises(QuestionError, match="is no time: expected one such as"):
        moment_ms(text, NOW_MS)


def test_the_posts_of_a_sample_are_the_same_for_ever() -> None:
    half = Selection(sample=0.5)
    assert [at for at in range(16) if half.has_id(f"p-{at}")] == [0, 2, 3, 4, 5, 12, 14]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_every_post_is_in_the_whole(post_id: str) -> None:
    assert Selection(sample=1.0).has_id(post_id)


def test_a_sample_is_another_choice_than_a_canarys() -> None:
    ids = [f"p-{at}" for at in range(10_000)]
    both = [of for of in ids if place_of(of, CanarySettings().salt) < 0.5 and Selection(sample=0.5).has_id(of)]
    assert len(both) == pytest.approx(2_500, rel=0.1)


def test_a_sample_has_its_share_and_smaller_ones_are_within_larger_ones() -> None:
    ids = [f"p-{at}" for at in range(10_000)]
    tenth = {of for of in ids if Selection(sample=0.1).has_id(of)}
    half = {of for of in ids if Selection(sample=0.5).has_id(of)}
    assert tenth < half
    assert (len(tenth), len(half)) == (pytest.approx(1_000, rel=0.1), pytest.approx(5_000, rel=0.05))


def test_stretches_name_a_topic_of_posts() -> None:
    topics = ("moderation.posts", "moderation.posts.urgent")
    found = stretch_of("moderation.posts-3:10-20", topics)
    assert (found.place, found.first, found.end) == (("moderation.posts", 3), 10, 20)
    for text, said in {
        "moderation.posts-3": "expected TOPIC-PARTITION:FROM-TO, such as moderation.posts-3:1000-2000",
        "moderation.decisions-3:1-2": "holds no posts: expected moderation.posts or moderation.posts.urgent",
        "moderation.posts-3:2-2": "expected FROM before TO",
    }.items():
        with pytest.raises(QuestionError, match=said):
            stretch_of(text, topics)


def test_posts_are_selected_by_time_tenant_offsets_ids_and_sample(past: Past, replay: Replay, tmp_path: Path) -> None:
    first, later = posts(10), posts(20)[10:]
    past.publish(*first, at_ms=NOW_MS)
    past.publish(*later, at_ms=NOW_MS + HOUR_MS)
    decisions = past.decide()
    policy = policy_file(tmp_path, BEFORE.replace("abuse: 0.5", "abuse: 0.6"))
    needing = policy_file(tmp_path, BEFORE.replace("scores.hate >= 0.9", "post.reach > 5.0"), "needing")
    topic = past.system.topics.stage(Stage.INGEST)
    inside = {of.post_id for of in decisions.values() if of.source.partition == 1 and 1 <= of.source.offset < 4}
    ids = tmp_path / "ids"
    ids.write_text("p-3\np-17\nnobody\n")
    asked: dict[str, tuple[tuple[object, ...], set[str]]] = {
        "since": (("--since", iso(NOW_MS + HOUR_MS)), {of.post_id for of in later}),
        "until": (("--until", iso(NOW_MS + HOUR_MS)), {of.post_id for of in first}),
        "between": (("--since", iso(NOW_MS + 3), "--until", iso(NOW_MS + 5)), {"p-3", "p-4"}),
        "tenant": (("--tenant", "acme"), {of.post_id for of in decisions.values() if of.tenant == "acme"}),
        "offsets": (("--offsets", f"{topic}-1:1-4"), inside),
        "all there is": (("--since", "9999w"), set(decisions)),
        "ids": (("--post-id", "p-5", "--post-ids", ids), {"p-3", "p-5", "p-17"}),
        "sample": (("--sample", "0.4"), {of for of in decisions if Selection(sample=0.4).has_id(of)}),
    }
    for name, (arguments, expected) in asked.items():
        assert expected, name
        for way, file in (("decisions", policy), ("posts", needing)):
            done = replay("--policy", file, *arguments, out=f"{name}-{way}")
            assert done.code == 0, (name, way, done.err)
            assert set(done.pairs) == expected, (name, way)


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def test_another_question_in_the_same_folder_is_refused_in_one_sentence(
    full: Past, replay: Replay, tmp_path: Path
) -> None:
    policy = policy_file(tmp_path, BEFORE.replace("abuse: 0.5", "abuse: 0.6"))
    first = replay("--policy", policy)
    before = (first.folder / "report.json").read_bytes()
    other = replay("--policy", policy, "--sample", "0.5")
    assert (other.code, other.out) == (1, "")
    assert "holds a replay of another question (sample; sample was 1.0, is 0.5): expected the same" in other.sentence
    assert (first.folder / "report.json").read_bytes() == before
    policy.write_text(policy.read_text().replace("0.6", "0.7"))
    assert "another question (policy; policy was after@" in replay("--policy", policy).sentence


def test_a_folder_that_another_version_has_left_is_refused_in_one_sentence(
    past: Past, replay: Replay, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    store = ReplayStore(tmp_path / "out")
    store.settle(msgspec.msgpack.encode({"asked": {"mode": "policy"}}))
    store.close()
    done = replay("--policy", past.policy)
    assert done.code == 1
    assert done.sentence.endswith("out holds a replay of another version of modstream: expected another folder")


BAD = {
    ("--since", "1h", "--until", "2h"): "--since 1h is not before --until 2h: expected an earlier time",
    ("--since", "soon"): "'soon' is no time: expected one such as",
    ("--offsets", "x.posts-0:1-2"): "x.posts holds no posts: expected ",
    ("--pack", "nowhere"): "nowhere",
    ("--policy", "nowhere.yaml"): "nowhere.yaml: error: cannot be read",
    ("--policy-before", "nowhere.yaml", "--policy", "BEFORE"): "nowhere.yaml: error: cannot be read",
    ("--policy-before", "BEFORE"): "--policy-before is for a policy alone: expected --policy, and neither",
    ("--policy", "BEFORE", "--full", "--full-where-needed"): "--full-where-needed is for a policy alone: expected",
    ("--post-ids", "nowhere.txt"): "nowhere.txt: No such file or directory",
    ("--topics-prefix", "elsewhere."): "elsewhere.posts",
    (
        "--since",
        "2001-01-01",
        "--until",
        "2001-01-02",
    ): "nothing to compare: no published decision is on a post of this",
    ("--bootstrap-servers", "127.0.0.1:1"): "no answer from Kafka at 127.0.0.1:1",
}


def test_what_makes_no_sense_ends_with_one_sentence(full: Past, replay: Replay) -> None:
    for at, (arguments, said) in enumerate(BAD.items()):
        named = [str(full.policy) if of == "BEFORE" else of for of in arguments]
        done = replay(*named, out=str(at))
        assert (done.code, done.out) == (1, ""), (arguments, done.err)
        assert said in done.err.splitlines()[-1], arguments
        assert len(done.err.splitlines()) == 1, done.err


def test_a_second_replay_into_the_same_folder_at_the_same_time_is_refused(
    past: Past, replay: Replay, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    first = ReplayStore(tmp_path / "out")
    with first.whole():
        done = replay("--policy", past.policy)
    first.close()
    assert done.code == 1
    assert "database is locked: expected a folder that no other replay is writing to" in done.sentence


@pytest.mark.parametrize("option", ["--tenant", "--post-id"])
def test_a_name_that_no_post_can_have_is_refused(option: str, past: Past, replay: Replay) -> None:
    done = replay("--policy", past.policy, option, "\udcff")
    assert done.code == 2
    assert "not UTF-8; no post has such a name" in done.sentence


@pytest.mark.parametrize("share", ["0", "1.5", "half", "nan"])
def test_a_sample_is_a_share(share: str, replay: Replay) -> None:
    done = replay("--sample", share)
    assert done.code == 2
    assert "expected a share above 0 and at most 1" in done.sentence
