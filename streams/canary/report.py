"""What decisions, dead letters and feedback of a span of time say of a canary and of the live decisions beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from confluent_kafka.admin import AdminClient

from processors.canary import TAKEN_BACK
from schemas import Action, Cause, InvalidFeedback, decode_feedback
from streams.access import READ, Grant, Kind
from streams.canary.verdict import Side
from streams.offsets import end_offsets, offsets_at, places_of
from streams.reader import Read, read_between
from streams.settings import Settings
from streams.topology import Topics

PURPOSE = "canary"
"""Of the group's name, which is never joined."""

FAILURES = frozenset({Cause.POISON, Cause.RETRIES_EXHAUSTED, Cause.CRASH_LOOP, Cause.TOO_LARGE})
"""Dead letters that a pack or policy may be to blame for: never an invalid post's."""


@dataclass(slots=True)
class Report:
    """Counted, and not yet judged."""

    canary: Side
    live: Side
    others: int = 0
    """Decisions of other packs and policies."""
    unreadable: int = 0
    """Messages that are no decision or no feedback."""
    by_name: dict[tuple[str, str], Side] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {_pair(side.name): side for side in (self.live, self.canary)}


class _Versions(msgspec.Struct, frozen=True):
    pack: str
    policy: str


class _Decision(msgspec.Struct, frozen=True):
    """What counts of a decision; the rest of it is not decoded."""

    decision_id: str
    action: Action
    versions: _Versions
    timings_ms: dict[str, float] = {}


_decoder = msgspec.json.Decoder(_Decision)


def canary_grants(settings: Settings) -> tuple[Grant, ...]:
    """What a report must be allowed: to read."""
    topics = Topics(settings.topics.prefix)
    names = (topics.decisions, topics.dead_letters, topics.feedback)
    return tuple(Grant(Kind.TOPIC, name, (READ,)) for name in names)


def report_of(settings: Settings, admin: AdminClient, canary: str, live: str, since_ms: int) -> Report:
    """Count what was published from `since_ms` (ms since the epoch) up to now. `canary` and `live` are names as
    `pack@sha policy@sha`. Raises KafkaException, TimeoutError and `TopicsError`."""
    topics = Topics(settings.topics.prefix)
    report = Report(Side(canary), Side(live))
    verdicts = _verdicts(_messages(settings, admin, topics.feedback, since_ms), report)
    for message in _messages(settings, admin, topics.decisions, since_ms):
        add_decision(report, message.value, verdicts)
    for message in _messages(settings, admin, topics.dead_letters, since_ms):
        add_dead_letter(report, message)
    return report


def add_decision(report: Report, value: bytes | None, verdicts: Mapping[str, Action]) -> None:
    """`verdicts`: decision id -> what a person said of it. Null values are deletes, and count for nobody."""
    if value is None:
        return
    try:
        decision = _decoder.decode(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        report.unreadable += 1
        return
    side = report.by_name.get((decision.versions.pack, decision.versions.policy))
    if side is None:
        report.others += 1
        return
    if TAKEN_BACK in decision.timings_ms:
        # The live pack's decision, and the canary's failure: its latency is neither's.
        report.canary.failures["taken_back"] += 1
        return
    side.actions[decision.action.value] += 1
    side.totals_ms.append(decision.timings_ms.get("total", 0.0))
    verdict = verdicts.get(decision.decision_id)
    if verdict is not None:
        side.reviewed += 1
        side.agreed += verdict is decision.action


def add_dead_letter(report: Report, letter: Read) -> None:
    origin = letter.origin
    side = report.by_name.get((origin.pack or "", origin.policy or ""))
    if side is not None and origin.cause in FAILURES:
        side.failures[str(origin.cause)] += 1


def _verdicts(messages: Iterator[Read], report: Report) -> dict[str, Action]:
    """Of several feedbacks on a decision the latest."""
    found: dict[str, tuple[datetime, Action]] = {}
    for message in messages:
        try:
            feedback = decode_feedback(message.value or b"")
        except InvalidFeedback:
            report.unreadable += 1
            continue
        before = found.get(feedback.decision_id)
        if before is None or before[0] <= feedback.created_at:
            found[feedback.decision_id] = feedback.created_at, feedback.verdict
    return {decision_id: verdict for decision_id, (_, verdict) in found.items()}


def _messages(settings: Settings, admin: AdminClient, topic: str, since_ms: int) -> Iterator[Read]:
    places = places_of(admin, [topic])
    end = end_offsets(admin, places)
    start = offsets_at(admin, places, since_ms)
    return read_between(settings.kafka, settings.group, PURPOSE, {p: start.get(p, end[p]) for p in places}, end)


def _pair(name: str) -> tuple[str, str]:
    pack, _, policy = name.partition(" ")
    return pack, policy
