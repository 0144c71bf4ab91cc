"""Feedback on decisions, published one by one, each confirmed by its broker."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException, Message

from schemas import Feedback, encode_feedback
from streams.kafka import error_of, new_producer, producer_settings
from streams.settings import Settings
from streams.topology import Topics

GIVE_UP_MS = 10_000
"""A person waits for the answer. After it, the message is not sent any more; one whose confirmation alone was lost has
arrived, and a second try is then a second feedback."""

FLUSH_S = GIVE_UP_MS / 1000 + 5.0


class NotDelivered(Exception):
    """No broker has taken the feedback; the message says why."""


class FeedbackSender:
    """Publishes to the topic of feedback. May be used from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._topic = Topics(settings.topics.prefix).feedback
        self._producer = new_producer(
            {**producer_settings(settings.kafka, "feedback"), "message.timeout.ms": GIVE_UP_MS, "linger.ms": 0}
        )

    def send(self, feedback: Feedback) -> None:
        """Returns when it is on its topic, under its post's key. Raises `NotDelivered`."""
        outcome: list[KafkaError | None] = []

        def reported(error: KafkaError | None, message: Message) -> None:
            del message
            outcome.append(error)

        try:
            self._producer.produce(
                self._topic, encode_feedback(feedback), feedback.post_id.encode(), on_delivery=reported
            )
        except (BufferError, KafkaException) as failure:
            reason = error_of(failure).str() if isinstance(failure, KafkaException) else "too many are waiting"
            raise NotDelivered(f"the feedback was not published: {reason}") from failure
        self._producer.flush(FLUSH_S)
        if outcome != [None]:
            reason = outcome[0].str() if outcome and outcome[0] is not None else "no broker has answered"
            raise NotDelivered(f"the feedback was not published: {reason}")
