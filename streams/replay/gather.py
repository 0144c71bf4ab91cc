"""What was published and what people said of it, from Kafka into the replay's store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from schemas import InvalidMessage, decode_feedback
from schemas.replay import Said
from streams.offsets import Place
from streams.reader import Read, read_between
from streams.replay.plan import PURPOSE, Plan, Span, ends, starts
from streams.replay.published import decode_published
from streams.replay.question import Selection
from streams.replay.store import About, ReplayStore
from streams.settings import Settings

PIECE = 5_000
"""Messages that are written together: few enough that a kill costs little, and so many that commits do not count."""

Told = Callable[[str], None]
"""Is called with a line for a person, every now and then."""


def gather(settings: Settings, store: ReplayStore, plan: Plan, told: Told) -> None:
    """Raises KafkaException and TimeoutError."""
    _gather(settings, store, "decisions", plan.decisions, told, lambda message: _decision(store, plan, message))
    _gather(settings, store, "feedback", plan.feedback, told, lambda message: _feedback(store, plan.selection, message))


def _gather(
    settings: Settings,
    store: ReplayStore,
    what: str,
    spans: tuple[Span, ...],
    told: Told,
    take: Callable[[Read], str | None],
) -> None:
    start = starts(spans, store.reached(what))
    messages = read_between(settings.kafka, settings.group, PURPOSE, start, ends(spans))
    read = 0
    for piece in _pieces(messages):
        counted: Counter[str] = Counter()
        reached: dict[Place, int] = {}
        with store.whole():
            for message in piece:
                if (wrong := take(message)) is not None:
                    store.example(f"broken_{what}", wrong)
                    counted[f"broken_{what}"] += 1
                reached[message.place] = message.offset + 1
            store.count(counted)
            store.reach(what, reached)
        read += len(piece)
        told(f"{read:,} messages of the {what} read")


def _pieces(messages: Iterator[Read]) -> Iterator[list[Read]]:
    while piece := list(islice(messages, PIECE)):
        yield piece


def _decision(store: ReplayStore, plan: Plan, message: Read) -> str | None:
    """What is wrong with the message, if anything."""
    if message.value is None:
        post_id = (message.key or b"").decode("utf-8", "replace")
        if plan.selection.has_id(post_id):
            store.delete(post_id)
        return None
    try:
        decision = decode_published(message.value)
    except InvalidMessage as error:
        return _wrong(message, error)
    if plan.selection.has_id(decision.post_id):
        store.publish(decision)
    return None


def _feedback(store: ReplayStore, selection: Selection, message: Read) -> str | None:
    try:
        feedback = decode_feedback(message.value or b"")
    except InvalidMessage as error:
        return _wrong(message, error)
    if selection.has_id(feedback.post_id):
        created_ms = round(feedback.created_at.timestamp() * 1000)
        ids: dict[About, str] = {"decision": feedback.decision_id, "post": feedback.post_id}
        for about, name in ids.items():
            said = Said(verdict=feedback.verdict, labels=feedback.labels, about=about)
            store.say(about, name, created_ms, feedback.feedback_id, said)
    return None


def _wrong(message: Read, error: InvalidMessage) -> str:
    return f"{message.topic}-{message.partition}:{message.offset}: {error}"
