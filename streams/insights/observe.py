"""From a message to what it adds to which groups. Pure; of messages that are not ours it says why."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas import (
    LABELS,
    MODALITIES,
    Cause,
    Confidence,
    DeadLetterHeaders,
    Decision,
    Flag,
    Post,
    Stage,
    decode_confidence,
    decode_decision,
    decode_flag,
    decode_post,
)
from streams.insights.drift import score_name
from streams.insights.fingerprints import post_names
from streams.insights.groups import Group, Kind, Observation, Source
from streams.metrics.labels import OTHER, AllowList
from streams.settings import MetricSettings

SHARDS = 16
"""Groups that floods are spread over, by hash: one name is counted in one place, and no worker has them all."""

MILLI = 1000
"""Probabilities have three decimals: in thousandths they are whole, and their sums exact."""

_NAME = re.compile(r"[a-zA-Z0-9][\w.@:-]{0,99}")
"""Flags and packs as policies and packs name them. Anything else is `other`: no text of a stranger becomes a name."""

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of one of the sources, as read."""

    source: Source
    partition: int
    offset: int
    timestamp_ms: int
    value: bytes | None
    headers: Headers = ()


Parts = tuple[Group, dict[str, int], dict[str, str]]


class Observer:
    """Tenants and languages that the settings do not list are `other`: senders must not make groups."""

    def __init__(self, metrics: MetricSettings) -> None:
        self._tenant = AllowList(metrics.tenants)
        self._language = AllowList(metrics.languages)

    def observe(self, message: Message) -> list[tuple[Group, Observation]]:
        """Nothing for deletes. Raises `InvalidMessage` for a value that is not what its topic holds.

        A message counts at its own timestamp: all five topics have one, in the order of their partition, and our own
        workers set it when they publish, within milliseconds of `decided_at`, which two of them do not have.
        """
        return [
            (
                group,
                Observation(message.source, message.partition, message.offset, message.timestamp_ms, counts, examples),
            )
            for group, counts, examples in self._parts(message)
        ]

    def _parts(self, message: Message) -> Iterator[Parts]:
        if message.source is Source.DEAD_LETTERS:
            yield from _dead_letter(message.headers)
        elif message.value is None:
            return
        elif message.source is Source.DECISIONS:
            yield from self._decision(decode_decision(message.value))
        elif message.source is Source.CONFIDENCE:
            yield from _confidence(decode_confidence(message.value))
        elif message.source is Source.FLAGS:
            yield from self._flag(decode_flag(message.value))
        else:
            yield from _post(decode_post(message.value))

    def _decision(self, decision: Decision) -> Iterator[Parts]:
        counts = {
            "total": 1,
            f"action.{decision.action}": 1,
            f"severity.{decision.severity}": 1,
            "confidence.milli": milli(decision.confidence),
        }
        for label in decision.labels.keys() & set(LABELS):
            counts[f"assessed.{label}"] = 1
            counts[score_name(label, decision.labels[label])] = 1
        for label in set(decision.flags) & set(LABELS):
            counts[f"label.{label}"] = 1
        for group in (
            Group(Kind.DECISIONS),
            Group(Kind.DECISIONS, "tenant", self._tenant(decision.tenant)),
            Group(Kind.DECISIONS, "language", self._language(decision.lang)),
            Group(Kind.DECISIONS, "pack", named(decision.versions.pack)),
        ):
            yield group, counts, {}

    def _flag(self, flag: Flag) -> Iterator[Parts]:
        counts = {"total": 1, f"flag.{named(flag.flag)}": 1}
        yield Group(Kind.FLAGS), counts, {}
        yield Group(Kind.FLAGS, "tenant", self._tenant(flag.tenant)), counts, {}


def _confidence(confidence: Confidence) -> Iterator[Parts]:
    counts = {"total": 1}
    for name in confidence.modalities.keys() & set(MODALITIES):
        modality = confidence.modalities[name]
        counts[f"{name}.{modality.status}"] = 1
        if modality.confidence is not None:
            counts[f"{name}.measured"] = 1
            counts[f"{name}.milli"] = milli(modality.confidence)
    yield Group(Kind.CONFIDENCE), counts, {}
    yield Group(Kind.CONFIDENCE, "pack", named(confidence.versions.pack)), counts, {}


def _dead_letter(headers: Headers) -> Iterator[Parts]:
    found = DeadLetterHeaders.from_headers(headers)
    stage = found.stage if found.stage in Stage.__members__.values() else OTHER
    cause = found.cause if found.cause in Cause.__members__.values() else OTHER
    yield Group(Kind.DEAD_LETTERS), {"total": 1, f"stage.{stage}": 1, f"cause.{cause}": 1, f"{stage}.{cause}": 1}, {}


def _post(post: Post) -> Iterator[Parts]:
    shards: dict[int, list[str]] = {}
    for name in post_names(post):
        shards.setdefault(zlib.crc32(name.encode()) % SHARDS, []).append(name)
    for shard, names in sorted(shards.items()):
        group = Group(Kind.FLOODS, "shard", str(shard))
        yield group, dict.fromkeys(names, 1), dict.fromkeys(names, post.post_id)


def milli(probability: float) -> int:
    """In thousandths."""
    return round(probability * MILLI)


def named(name: str) -> str:
    """A name of ours, or `other`."""
    return name if _NAME.fullmatch(name) else OTHER
