"""A live chain's past on the real Kafka: posts, and the decisions that the chain's own processors made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from commands.main import main
from processors.chain import ChainOptions, Models, build_chain, run_chain
from processors.pack.features import FEATURES
from processors.packs import load_pack
from processors.policy import load_policy
from schemas import Decision, Post, Record, Source, Stage, decode_decision, decode_post, encode_decision, encode_post
from tests.kafka_tools.conftest import System, empty, producer, system
from tests.tiny_pack import tiny_manifest, write_manifest, write_tiny_pack

__all__ = ["empty", "producer", "system"]

NOW_MS = 1_795_316_080_000
ROUTE = (Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE)

BEFORE = """
schema: policy/1
name: before
version: "1"
layers:
  default:
    thresholds: {abuse: 0.5, hate: 0.4}
    rules:
      abuse-review: {when: '"abuse" in flags', action: review, code: abuse, message: {en: Abusive.}}
      hate-block: {when: scores.hate >= 0.9, action: block, code: hate, message: {en: Hateful.}}
"""
"""The policy that made the decisions of the tests."""

TEXTS = (
    *("hello world", "the cat sat on the mat", "you are all scum", "good day", "vermin", "scum", "you", "a", "?!"),
    *("you are scum 漢字漢字漢字", "der hund", "hello scum hello", "the cat", "漢字漢字漢字", "scum vermin"),
    "all the scum on the mat",
)
"""Harmless and bad ones, short ones, and letters that the tiny pack's vocabulary lacks."""


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It tells targets, attacks and severities too."""
    return write_tiny_pack(tmp_path_factory.mktemp("packs") / "tiny", details=True)


@pytest.fixture(scope="session")
def other_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same graph with another calibration: other probabilities, and so other decisions."""
    folder = write_tiny_pack(tmp_path_factory.mktemp("packs") / "other", details=True)
    manifest = tiny_manifest(folder, details=True)
    manifest["calibration"]["abuse"] = {"temperature": 4.0, "bias": -1.0}
    manifest["calibration"]["hate"] = {"temperature": 2.0, "bias": -1.5}
    manifest["name"] = "other"
    write_manifest(folder, manifest)
    return folder


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policies") / "before.yaml"
    path.write_text(BEFORE)
    return path


def decided(pack: Path, policy: Path, records: Sequence[Record]) -> list[Decision]:
    """What the chain decides on these."""
    loaded = load_pack(pack)
    models = Models(loaded, load_policy(policy, loaded.thresholds, FEATURES))
    outcomes = run_chain(build_chain(ChainOptions(code="test", threads=1, clock=lambda: NOW_MS), models), records)
    assert all(isinstance(outcome, Record) for outcome in outcomes)
    return [outcome.decision for outcome in outcomes if isinstance(outcome, Record) and outcome.decision is not None]


def record_of(value: bytes, source: Source) -> Record:
    """The record that a worker makes of a message."""
    return Record(
        post=decode_post(value),
        source=source,
        content_hash=hashlib.sha256(value).hexdigest(),
        received_ms=NOW_MS,
        route=ROUTE,
    )


@dataclass(frozen=True)
class Past:
    """Topics on which posts were published and decided."""

    system: System
    pack: Path
    policy: Path

    def publish(self, *posts: Post, at_ms: int = 0, partition: int | None = None) -> None:
        for at, post in enumerate(posts):
            topic = self.system.topics.stage(Stage.INGEST)
            stamp = at_ms + at if at_ms else 0
            self.system.produce(topic, (post.post_id, encode_post(post)), at_ms=stamp, partition=partition)

    def decide(self) -> dict[str, Decision]:
        """Publishes a decision on every post; post id -> decision."""
        messages = [of for of in self.system.read(self.system.topics.stage(Stage.INGEST), 0) if of.value is not None]
        records = [
            record_of(
                of.value or b"",
                Source(topic=of.topic, partition=of.partition, offset=of.offset, timestamp_ms=of.timestamp_ms),
            )
            for of in messages
        ]
        found = decided(self.pack, self.policy, records)
        for decision in found:
            self.system.produce(self.system.topics.decisions, (decision.post_id, encode_decision(decision)))
        return {decision.post_id: decision for decision in found}

    def published(self) -> dict[str, Decision]:
        """From the raw topic: the last of each post."""
        messages = self.system.read(self.system.topics.decisions, 0)
        return {
            decision.post_id: decision
            for decision in (decode_decision(of.value) for of in messages if of.value is not None)
        }


@pytest.fixture
def past(system: System, pack: Path, before: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    """Nothing published yet; pack and policy in force are those that decide."""
    monkeypatch.setenv("MODSTREAM_PACK", str(pack))
    monkeypatch.setenv("MODSTREAM_POLICY", str(before))
    return Past(system, pack, before)


@pytest.fixture
def full(past: Past) -> Past:
    """Posts in several tenants and regions, decided."""
    past.publish(*posts(96))
    past.decide()
    return past


def posts(count: int) -> list[Post]:
    return [
        Post(
            post_id=f"p-{at}",
            text=TEXTS[at % len(TEXTS)],
            tenant=("default", "acme")[at % 3 == 0],
            region=("EU", "US", None)[at % 3],
            author_id=f"u-{at % 7}",
            reach=at,
        )
        for at in range(count)
    ]


@dataclass(frozen=True)
class Done:
    """A replay that has ended."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def report(self) -> Any:
        return msgspec.json.decode((self.folder / "report.json").read_bytes())

    @property
    def pairs(self) -> dict[str, Any]:
        """By post id."""
        lines = (self.folder / "pairs.jsonl").read_bytes().splitlines()
        return {pair["post_id"]: pair for pair in map(msgspec.json.decode, lines)}

    @property
    def sentence(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


Replay = Callable[..., Done]


@pytest.fixture
def replay(system: System, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Replay:
    """Run the command in this process: `replay("--policy", path, out="one")`."""

    def replay(*arguments: object, out: str = "out") -> Done:
        capfd.readouterr()
        folder = tmp_path / out
        try:
            code = main(["replay", *system.flags, "--out", str(folder), *map(str, arguments)])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        out_text, err_text = capfd.readouterr()
        return Done(code, out_text, err_text, folder)

    return replay


def policy_file(folder: Path, text: str, name: str = "after") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text.replace("name: before", f"name: {name}"))
    return path
