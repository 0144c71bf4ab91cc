"""Workers with a canary, on a real Kafka: who judges a post is settled by its id, and one that fails harms no post."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from processors.canary import TAKEN_BACK, place_of
from schemas import Feedback, encode_feedback
from schemas.feedback import decode_feedback
from streams.settings import CanarySettings
from tests.delivery.cluster import Cluster, Process, decisions, post
from tests.two_packs import Judges, write_broken_pack, write_judges

SALT = CanarySettings().salt
FRONT, BACK = ("ingest", "pack", "retry"), ("encode", "fuse")
"""The windows are made in one process and judged in another."""
WORDS = ("you are all scum", "hello world", "the cat sat on the mat", "vermin", "good day")


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Judges:
    return write_judges(tmp_path_factory.mktemp("judges"))


def begin(cluster: Cluster, instance: str, stages: tuple[str, ...], environment: dict[str, str]) -> Process:
    process = cluster.spawn(instance, "commands", "worker", *stages, **environment)
    process.wait_ready()
    return process


def report(cluster: Cluster, environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `modstream canary`."""
    ran = subprocess.run(
        [sys.executable, "-m", "commands", "canary", *arguments],
        env=cluster.environment("report", **environment),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    return ran.returncode, ran.stdout, ran.stderr


def posts(count: int) -> list[tuple[str, dict[str, Any]]]:
    return [post(f"p-{at}", WORDS[at % len(WORDS)]) for at in range(count)]


def by_canary(post_id: str, share: float) -> bool:
    return place_of(post_id, SALT) < share


def names(decision: dict[str, Any]) -> tuple[str, str]:
    versions = decision["versions"]
    return versions["pack"].partition("@")[0], versions["policy"].partition("@")[0]


def test_each_post_is_judged_by_the_pack_that_its_id_names_when_the_stages_are_split_over_two_workers(
    cluster: Cluster, judges: Judges
) -> None:
    environment = {
        **judges.environment(),
        "MODSTREAM_CANARY__PACK": str(judges.other_pack),
        "MODSTREAM_CANARY__POLICY": str(judges.other_policy),
        "MODSTREAM_CANARY__SHARE": "0.4",
        "MODSTREAM_CANARY__MIN_POSTS": "20",
        "MODSTREAM_CANARY__MAX_P95_RATIO": "50",
    }
    for instance, stages in (("front", FRONT), ("back", BACK)):
        begin(cluster, instance, stages, environment)
    cluster.publish(posts(150))
    found = decisions(cluster.read(cluster.topics.decisions, 150))
    assert Counter(decision["post_id"] for decision in found) == Counter(f"p-{at}" for at in range(150))
    for decision in found:
        expected = ("other", "other") if by_canary(decision["post_id"], 0.4) else ("live", "live")
        assert names(decision) == expected, decision["post_id"]
    assert cluster.ends(cluster.topics.dead_letters) == dict.fromkeys(range(cluster.partitions), 0)

    # The canary's policy reviews what the live one blocks.
    code, out, err = report(cluster, environment, "--json")
    assert code == 4, err
    told = json.loads(out)
    assert told["verdict"] == "roll_back"
    assert told["canary"]["decisions"] == sum(by_canary(f"p-{at}", 0.4) for at in range(150))
    assert {point["name"]: point["verdict"] for point in told["points"]} == {
        "posts": "promote",
        "errors": "promote",
        "latency": "promote",
        "actions": "roll_back",
        "agreement": None,
    }

    # Allowed to, it is promoted, unless people agree with it less.
    allowed = {**environment, "MODSTREAM_CANARY__MAX_MIX_SHIFT": "1"}
    code, out, err = report(cluster, allowed)
    assert code == 0, out
    assert "verdict: promote" in err
    assert report(cluster, {**allowed, "MODSTREAM_CANARY__MIN_POSTS": "5000"})[0] == 3
    topic = cluster.topics.feedback
    cluster.publish([(each["post_id"], feedback_on(each)) for each in found], topic=topic)
    code, out, _ = report(cluster, {**allowed, "MODSTREAM_CANARY__MIN_FEEDBACK": "20"}, "--json")
    assert code == 4
    assert json.loads(out)["points"][-1]["verdict"] == "roll_back"


def feedback_on(decision: dict[str, Any]) -> bytes:
    """People say what the live policy says."""
    verdict = "block" if decision["labels"]["abuse"] >= 0.5 else "approve"
    value = {
        "schema": "feedback/1",
        "feedback_id": f"f-{decision['post_id']}",
        "decision_id": decision["decision_id"],
        "post_id": decision["post_id"],
        "source": "audit",
        "verdict": verdict,
        "created_at": "2026-11-22T10:00:00Z",
    }
    feedback: Feedback = decode_feedback(json.dumps(value).encode())
    return encode_feedback(feedback)


@pytest.mark.parametrize("split", [False, True])
def test_a_canary_that_fails_on_everything_is_switched_off_and_every_post_has_one_decision(
    cluster: Cluster, judges: Judges, tmp_path: Path, split: bool
) -> None:
    environment = {
        **judges.environment(),
        "MODSTREAM_CANARY__PACK": str(write_broken_pack(tmp_path / "broken")),
        "MODSTREAM_CANARY__SHARE": "0.5",
    }
    segments = (FRONT, BACK) if split else ((*FRONT[:2], *BACK, "retry"),)
    workers = [begin(cluster, f"worker-{at}", stages, environment) for at, stages in enumerate(segments)]
    cluster.publish(posts(200))
    found = decisions(cluster.read(cluster.topics.decisions, 200))
    assert Counter(decision["post_id"] for decision in found) == Counter(f"p-{at}" for at in range(200))
    assert {names(decision) for decision in found} == {("live", "live")}
    assert cluster.ends(cluster.topics.dead_letters) == dict.fromkeys(range(cluster.partitions), 0)
    taken = [decision["post_id"] for decision in found if TAKEN_BACK in decision["timings_ms"]]
    assert taken
    assert all(by_canary(post_id, 0.5) for post_id in taken)
    log = workers[-1].log.read_text()
    assert log.count("it is switched off in this worker until a restart") == 1
    code, _, err = report(cluster, environment)
    assert code == 4, err

    cluster.publish([post(f"later-{at}", "hello") for at in range(20)])
    later = decisions(cluster.read(cluster.topics.decisions, 220))[-20:]
    assert {names(decision) for decision in later} == {("live", "live")}
    for worker in workers:
        assert worker.terminate() == 0


def test_a_canary_that_cannot_be_loaded_keeps_the_worker_from_starting_with_one_sentence(
    cluster: Cluster, judges: Judges, tmp_path: Path
) -> None:
    environment = {**judges.environment(), "MODSTREAM_CANARY__POLICY": str(tmp_path / "nowhere.yaml")}
    process = cluster.spawn("one", "commands", "worker", *FRONT, **environment)
    assert process.popen.wait(60) == 1
    told = process.log.read_text().strip().splitlines()
    assert len(told) == 1, told
    assert told[0].startswith("modstream: the canary cannot be used: ")
    code, out, err = report(cluster, environment)
    assert (code, out) == (1, "")
    assert err.startswith("modstream: the canary cannot be used: ")
    code, out, err = report(cluster, judges.environment())
    assert (code, out) == (1, "")
    assert err == "modstream: there is no canary: expected canary.pack or canary.policy to be set, as for the workers\n"
