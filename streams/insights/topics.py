"""The topics and the group of insights: what is read, what is written, and the two in between."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import Stage
from streams.access import CREATE, READ, WRITE, Grant, Kind
from streams.insights.groups import Source
from streams.kafka import MESSAGE_BYTES
from streams.settings import Settings
from streams.topics import TopicPlan
from streams.topology import STANDARD, URGENT, Topics


@dataclass(frozen=True, slots=True)
class InsightTopics:
    """Names under the settings' prefix."""

    settings: Settings

    @property
    def group(self) -> str:
        return f"{self.settings.group}.insights"

    @property
    def _topics(self) -> Topics:
        return Topics(self.settings.topics.prefix)

    @property
    def insights(self) -> str:
        return self._topics.insights

    @property
    def grouped(self) -> str:
        """Observations by group. In between: read within seconds."""
        return f"{self._topics.insights}.grouped"

    @property
    def state(self) -> str:
        """The last state of each group: what a worker that starts reads first."""
        return f"{self._topics.insights}.state"

    def sources(self) -> dict[str, Source]:
        """Topic -> what it holds."""
        topics = self._topics
        found = {
            topics.decisions: Source.DECISIONS,
            topics.confidence: Source.CONFIDENCE,
            topics.flags: Source.FLAGS,
            topics.dead_letters: Source.DEAD_LETTERS,
        }
        if self.settings.insights.floods:
            found[topics.stage(Stage.INGEST, STANDARD)] = Source.POSTS
            found[topics.stage(Stage.INGEST, URGENT)] = Source.POSTS_URGENT
        return found

    def planned(self) -> tuple[TopicPlan, ...]:
        """The two in between, with equal numbers of partitions: a group's observations and its state go together."""
        topics = self.settings.topics
        limit = {"max.message.bytes": str(MESSAGE_BYTES)}
        retention = {"cleanup.policy": "delete", "retention.ms": str(topics.internal_retention_ms)}
        return (
            TopicPlan(self.grouped, topics.partitions, topics.replication, retention | limit),
            TopicPlan(self.state, topics.partitions, topics.replication, {"cleanup.policy": "compact"} | limit),
        )


def insights_grants(settings: Settings) -> tuple[Grant, ...]:
    """For `modstream insights`: what is counted is read, the two topics in between are its own, and made if missing."""
    topics = InsightTopics(settings)
    return (
        *(Grant(Kind.TOPIC, name, (READ,)) for name in topics.sources()),
        *(Grant(Kind.TOPIC, name, (READ, WRITE, CREATE)) for name in (topics.grouped, topics.state)),
        Grant(Kind.TOPIC, topics.insights, (WRITE,)),
        Grant(Kind.GROUP, topics.group, (READ,)),
    )
