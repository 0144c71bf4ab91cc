"""What each kind of user must be allowed on a cluster with ACLs, and what of it is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # pyright: ignore[reportPrivateImportUsage]

from schemas import Stage
from streams.kafka import check_connection, error_of
from streams.settings import Delivery, Settings
from streams.topics import ADMIN_TIMEOUT_S
from streams.topology import STAGES, Topics, lanes_of

READ, WRITE, DESCRIBE = AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE
CREATE, CONFIGS, ALL = AclOperation.CREATE, AclOperation.DESCRIBE_CONFIGS, AclOperation.ALL


class AccessRefused(Exception):
    """The brokers know us and do not let us do what we have to; the message names each thing that is refused."""


class Kind(StrEnum):
    """What a grant is about, as `kafka-acls.sh` names it."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations on one resource; `prefixed`: on all whose name begins so."""

    kind: Kind
    name: str
    operations: tuple[AclOperation, ...]
    prefixed: bool = False

    def command(self, principal: str) -> str:
        """The line that grants it with Kafka's own tool; connection arguments are left to the caller."""
        options = " ".join(f"--operation {_words(operation)}" for operation in self.operations)
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        return f"kafka-acls.sh --add --allow-principal '{principal}' {options} --{self.kind} '{self.name}'{pattern}"


def worker_grants(settings: Settings, stages: Collection[Stage]) -> tuple[Grant, ...]:
    """For a worker with these stages: the topics that feed them and those that they fill, the group, the transaction.

    Whatever stage it runs may hand a record to any later one, to the retry topics and to the dead letters; `ingest`
    takes a deleted post's decision back, and `retry` puts messages back to where they came from.
    """
    topics = Topics(settings.topics.prefix)
    reads = list(topics.inputs(stages, settings.worker.lanes))
    hosted = [stage for stage in STAGES if stage in stages]
    if Stage.RETRY in stages:
        written = [*topics.inputs(STAGES)]
    else:
        after = STAGES[STAGES.index(hosted[0]) + 1 :] if hosted else ()
        written = [topics.stage(stage, lane) for stage in after for lane in lanes_of(stage)]
        if settings.canary.pack is not None and {Stage.ENCODE, Stage.FUSE}.intersection(stages):
            # What the canary fails on goes back to where another pack can begin.
            written += [topics.stage(Stage.PACK, lane) for lane in lanes_of(Stage.PACK)]
    written += [*topics.retries(), topics.dead_letters]
    if Stage.INGEST in stages or Stage.FUSE in stages:
        written.append(topics.decisions)
    if Stage.FUSE in stages:
        written += [topics.confidence, topics.flags, topics.shadow]
    found = [
        *_on_topics({name: {READ} for name in reads}, {name: {WRITE} for name in written}),
        # Every worker looks whether the whole chain's topics are there before it joins.
        *(Grant(Kind.TOPIC, name, (DESCRIBE,)) for name in topics.all() if name not in {*reads, *written}),
        Grant(Kind.GROUP, settings.group, (READ,)),
    ]
    if settings.delivery is Delivery.EXACTLY_ONCE:
        found.append(Grant(Kind.TRANSACTIONAL_ID, f"{settings.group}:", (WRITE, DESCRIBE), prefixed=True))
    return tuple(found)


def publisher_grants(settings: Settings) -> tuple[Grant, ...]:
    """For what publishes posts."""
    return tuple(_on_topics({name: {WRITE} for name in Topics(settings.topics.prefix).inputs([Stage.INGEST])}))


def reader_grants(settings: Settings) -> tuple[Grant, ...]:
    """For what reads outcomes: `modstream tail`, and consumers of yours (which need a group of their own beside)."""
    topics = Topics(settings.topics.prefix)
    names = (topics.decisions, topics.confidence, topics.flags, topics.insights, topics.shadow)
    return tuple(_on_topics({name: {READ} for name in names}))


def lag_grants(settings: Settings) -> tuple[Grant, ...]:
    """For `modstream lag`: the age of the oldest message is read from it."""
    names = Topics(settings.topics.prefix).inputs((*STAGES, Stage.RETRY))
    return (*_on_topics({name: {READ} for name in names}), Grant(Kind.GROUP, settings.group, (DESCRIBE,)))


def dlq_grants(settings: Settings) -> tuple[Grant, ...]:
    """For `modstream dlq`: dead letters go back to the topics they came from, in a transaction."""
    topics, own = Topics(settings.topics.prefix), f"{settings.group}.dlq"
    return (
        *_on_topics({topics.dead_letters: {READ}}, {name: {WRITE} for name in topics.inputs((*STAGES, Stage.RETRY))}),
        Grant(Kind.GROUP, own, (READ,)),
        Grant(Kind.TRANSACTIONAL_ID, own, (WRITE, DESCRIBE)),
    )


def operator_grants(settings: Settings) -> tuple[Grant, ...]:
    """For `lag`, `dlq`, `replay`, `canary` and the console: everything may be read, feedback written, dead letters sent
    back."""
    topics = Topics(settings.topics.prefix)
    more = _on_topics({name: {READ} for name in topics.all()}, {topics.feedback: {WRITE}})
    return _merged(*lag_grants(settings), *dlq_grants(settings), *more)


def admin_grants(settings: Settings) -> tuple[Grant, ...]:
    """For `modstream topics create`."""
    return (Grant(Kind.TOPIC, settings.topics.prefix, (CREATE, DESCRIBE, CONFIGS), prefixed=True),)


def connect(settings: Settings, grants: Iterable[Grant]) -> AdminClient:
    """A client that has spoken with a broker and, where we have a user's name, may do what the grants say. Raises
    `Unreachable` and `AccessRefused`."""
    admin = check_connection(settings.kafka)
    if (user := settings.kafka.security.username) is not None:
        require_access(admin, user, grants)
    return admin


def require_access(admin: AdminClient, user: str, grants: Iterable[Grant]) -> None:
    """Ask the brokers what we may do with the topics and groups among the grants. Raises `AccessRefused` for what is
    missing, all of it at once. Transactional ids cannot be asked about: a refusal shows when the first one begins."""
    wanted = list(grants)
    topics = {grant.name: grant for grant in wanted if grant.kind is Kind.TOPIC and not grant.prefixed}
    groups = {grant.name: grant for grant in wanted if grant.kind is Kind.GROUP}
    client: Any = admin  # the binding does not say what its futures hold
    options = {"include_authorized_operations": True, "request_timeout": ADMIN_TIMEOUT_S}
    answers: dict[str, Future[Any]] = {}
    if topics:
        answers |= client.describe_topics(TopicCollection(list(topics)), **options)
    refused = list(_refused(topics, answers))
    if groups:
        refused += _refused(groups, client.describe_consumer_groups(list(groups), **options))
    if refused:
        raise AccessRefused(
            f"Kafka does not let {user} {'; '.join(refused)}. `modstream topics access --help` shows what to grant"
        )


def _refused(wanted: Mapping[str, Grant], answers: Mapping[str, Future[Any]]) -> Iterable[str]:
    for name, grant in wanted.items():
        try:
            given: set[AclOperation] = set(answers[name].result().authorized_operations or ())
        except KafkaException as failure:
            yield f"see the {grant.kind} {name} ({error_of(failure).str()})"
            continue
        if ALL in given:
            continue
        # Reading or writing implies being allowed to look.
        missing = [_words(operation) for operation in grant.operations if operation not in given]
        if missing:
            yield f"{' or '.join(missing)} the {grant.kind} {name}"


def _on_topics(*wanted: Mapping[str, set[AclOperation]]) -> tuple[Grant, ...]:
    return _merged(*(Grant(Kind.TOPIC, name, tuple(some)) for each in wanted for name, some in each.items()))


def _merged(*grants: Grant) -> tuple[Grant, ...]:
    """Each resource once, with all that is wanted of it."""
    operations: dict[tuple[Kind, str, bool], set[AclOperation]] = {}
    for grant in grants:
        operations.setdefault((grant.kind, grant.name, grant.prefixed), set()).update(grant.operations)
    return tuple(
        Grant(kind, name, tuple(sorted(some, key=lambda operation: operation.value)), prefixed)
        for (kind, name, prefixed), some in operations.items()
    )


def _words(operation: AclOperation) -> str:
    return operation.name.replace("_", "").lower() if operation is CONFIGS else operation.name.lower()
