"""Topics as configured: which there should be, which there are, and the making of those that are missing."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # pyright: ignore[reportPrivateImportUsage]
from confluent_kafka.cimpl import NewTopic

from schemas import MAX_MESSAGE_BYTES, MAX_POST_BYTES, Stage
from streams.kafka import MESSAGE_BYTES, error_of
from streams.settings import TopicSettings
from streams.topology import Topics, lanes_of

POST_BYTES = MAX_POST_BYTES + (MESSAGE_BYTES - MAX_MESSAGE_BYTES)
"""Limit of a message on the input topics: the largest post, with the same room for key and headers as elsewhere."""

ADMIN_TIMEOUT_S = 15.0
SETTLE_TIMEOUT_S = 60.0  # for a busy cluster to make what it has promised
WAIT_S = 0.05
CLUSTER_DEFAULT = -1  # the admin protocol's word for `default.replication.factor`


class TopicsError(Exception):
    """Topics that do not exist, cannot be made or cannot be looked at; the message names them and says what to do."""


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as it is created. `replication` None: as many copies as the cluster makes by default."""

    name: str
    partitions: int
    replication: int | None
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicState:
    """A planned topic as it is. `partitions` 0: it does not exist."""

    plan: TopicPlan
    partitions: int
    replication: int
    config: Mapping[str, str]

    @property
    def exists(self) -> bool:
        return self.partitions > 0

    @property
    def differences(self) -> tuple[str, ...]:
        """Where an existing topic is not what the settings say, one sentence each; a topic is never changed."""
        if not self.exists:
            return ()
        found = [("partitions", str(self.partitions), str(self.plan.partitions))]
        if self.plan.replication is not None:
            found.append(("replication", str(self.replication), str(self.plan.replication)))
        found += [(name, self.config.get(name, "?"), wanted) for name, wanted in self.plan.config.items()]
        return tuple(
            f"{name} is {now}, the settings say {wanted}"
            for name, now, wanted in found
            if set(now.split(",")) != set(wanted.split(","))
        )


def planned(settings: TopicSettings) -> tuple[TopicPlan, ...]:
    """Every topic of the system, in the chain's order, as the settings want it."""
    topics = Topics(settings.prefix)
    posts = {topics.stage(Stage.INGEST, lane) for lane in lanes_of(Stage.INGEST)}
    outputs = {
        topics.decisions,
        topics.confidence,
        topics.flags,
        topics.feedback,
        topics.insights,
        topics.shadow,
    }

    def config(name: str) -> dict[str, str]:
        if name == topics.dead_letters:
            retention_ms = settings.dead_letter_retention_ms
        elif name in posts or name in outputs:
            retention_ms = settings.retention_ms
        else:
            retention_ms = settings.internal_retention_ms
        return {
            # A reader of the decisions may start late: it needs the latest decision on a post, not each of them.
            "cleanup.policy": "compact,delete" if name == topics.decisions else "delete",
            "retention.ms": str(retention_ms),
            "max.message.bytes": str(POST_BYTES if name in posts else MESSAGE_BYTES),
        }

    return tuple(TopicPlan(name, settings.partitions, settings.replication, config(name)) for name in topics.all())


def look_at(admin: AdminClient, plans: Sequence[TopicPlan]) -> list[TopicState]:
    """Each planned topic as it is now. Raises `TopicsError`."""
    found = _existing(admin)
    existing = [plan.name for plan in plans if plan.name in found]
    configs = _configs(admin, existing)
    return [
        TopicState(plan, *found.get(plan.name, (0, 0)), config={key: configs[plan.name][key] for key in plan.config})
        if plan.name in found
        else TopicState(plan, 0, 0, {})
        for plan in plans
    ]


def create_topics(admin: AdminClient, plans: Sequence[TopicPlan]) -> list[str]:
    """Make those that are missing, wait until they can be used, and return their names. Raises `TopicsError`."""
    found = _existing(admin)
    missing = [plan for plan in plans if plan.name not in found]
    if not missing:
        return []
    wanted = [
        NewTopic(
            plan.name,
            plan.partitions,
            CLUSTER_DEFAULT if plan.replication is None else plan.replication,
            config=dict(plan.config),
        )
        for plan in missing
    ]
    client: Any = admin  # the binding does not say what its futures hold
    futures: Mapping[str, Future[None]] = client.create_topics(wanted, request_timeout=ADMIN_TIMEOUT_S)
    created: list[str] = []
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as failure:
            error = error_of(failure)
            if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # somebody else was quicker
                raise TopicsError(f"the topic {name} cannot be created: {error.str()}") from failure
        else:
            created.append(name)
    _wait_for(admin, [plan.name for plan in missing])
    return created


def require_topics(admin: AdminClient, names: Iterable[str]) -> dict[str, int]:
    """How many partitions each topic has. Raises `TopicsError` naming those that do not exist."""
    found, wanted = _existing(admin), list(names)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise TopicsError(
            f"{'topics do' if len(missing) > 1 else 'the topic does'} not exist: {', '.join(missing)};"
            " create what is missing with `modstream topics create`, or set MODSTREAM_TOPICS__PREFIX to the prefix"
            " in use (where the brokers have ACLs, a topic that this user may not see looks like one that does not"
            " exist: `modstream topics access --help`)"
        )
    return {name: found[name][0] for name in wanted}


def _existing(admin: AdminClient) -> dict[str, tuple[int, int]]:
    """Topic -> partitions, copies of each. All topics are asked for: asking for one by name may create it."""
    try:
        topics = admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics
    except KafkaException as failure:
        raise TopicsError(f"the cluster does not list its topics: {error_of(failure).str()}") from failure
    return {
        name: (len(topic.partitions), max(len(partition.replicas) for partition in topic.partitions.values()))
        for name, topic in topics.items()
        if topic.partitions
    }


def _wait_for(admin: AdminClient, names: Sequence[str]) -> None:
    """Until the cluster lists these topics: it answers as soon as it has noted that there shall be such topics."""
    deadline_s = time.monotonic() + SETTLE_TIMEOUT_S
    while missing := set(names) - _existing(admin).keys():
        if time.monotonic() > deadline_s:
            raise TopicsError(
                f"created, but still not to be seen after {SETTLE_TIMEOUT_S:g} s: {', '.join(sorted(missing))}"
            )
        time.sleep(WAIT_S)


def _configs(admin: AdminClient, names: Collection[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    client: Any = admin  # the binding does not say what its futures hold
    futures: Mapping[Any, Future[Mapping[str, Any]]] = client.describe_configs(
        [ConfigResource(ResourceType.TOPIC, name) for name in names], request_timeout=ADMIN_TIMEOUT_S
    )
    found: dict[str, dict[str, str]] = {}
    for resource, future in futures.items():
        name = str(resource.name)
        try:
            found[name] = {key: str(entry.value) for key, entry in future.result().items()}
        except KafkaException as failure:
            reason = error_of(failure).str()
            raise TopicsError(f"the settings of the topic {name} cannot be read: {reason}") from failure
    return found
