"""Settings of the Kafka clients and of the topics. Each description says what it is and why its default is that."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from streams.settings.private import Overrides, Secret

DAY_MS = 24 * 60 * 60 * 1000
_LONGEST_MS = 36_500 * DAY_MS
_ADDRESS = r"([^\s:,/\[\]]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}"


class SecurityProtocol(StrEnum):
    """How a connection to a broker is protected."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"


class SaslMechanism(StrEnum):
    """How a user proves who they are. Others (OAUTHBEARER, GSSAPI) need more than a name and a password."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class GroupProtocol(StrEnum):
    """How a consumer group shares partitions out."""

    CLASSIC = "classic"
    CONSUMER = "consumer"


class SecuritySettings(Struct, frozen=True, kw_only=True):
    """Who we are to the brokers, and how we know them."""

    protocol: Annotated[
        SecurityProtocol,
        Meta(
            description="How connections to the brokers are protected. The default suits a broker on this machine only."
        ),
    ] = SecurityProtocol.PLAINTEXT
    sasl_mechanism: (
        Annotated[
            SaslMechanism,
            Meta(
                description="How user name and password are presented; needed with a `sasl_…` protocol, and only there."
            ),
        ]
        | None
    ) = None
    username: (
        Annotated[
            str,
            Meta(pattern=r"\S", description="User name for SASL, as the brokers know it."),
        ]
        | None
    ) = None
    password: (
        Annotated[
            Secret,
            Meta(description="Password for SASL. Never shown: it prints as stars."),
        ]
        | None
    ) = None
    ca_file: (
        Annotated[
            Path,
            Meta(description="PEM file of the authorities that may vouch for a broker; without it, the system's own."),
        ]
        | None
    ) = None
    cert_file: (
        Annotated[
            Path,
            Meta(description="PEM file of our certificate, where brokers ask clients for one; goes with `key_file`."),
        ]
        | None
    ) = None
    key_file: (
        Annotated[
            Path,
            Meta(description="PEM file of our private key; goes with `cert_file`."),
        ]
        | None
    ) = None


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """Every Kafka client of modstream is made from these."""

    bootstrap_servers: (
        Annotated[
            str,
            Meta(
                pattern=rf"^{_ADDRESS}(,{_ADDRESS})*\Z",
                title="host:port, or several of them with commas between and no spaces",
                description="Where to find the cluster. Without it, `modstream up` and `modstream demo` start a Kafka "
                "of their own, and every other command that needs one says so.",
            ),
        ]
        | None
    ) = None
    security: SecuritySettings = SecuritySettings()
    group_protocol: Annotated[
        GroupProtocol,
        Meta(
            description="`consumer` is KIP-848, and needs Kafka 4.0 or later: it divides each topic evenly, so that a "
            "second worker takes half of a stage's partitions. `classic` (cooperative-sticky) works with every broker, "
            "but evens out the sum over all topics: a worker that joins later may be given idle topics only, so start "
            "all workers of a stage together there."
        ),
    ] = GroupProtocol.CONSUMER
    session_timeout_ms: Annotated[
        int,
        Meta(
            ge=6_000,
            le=1_800_000,
            description="A worker that was killed is missed after this long, and until then its partitions stand "
            "still; the default is the least that brokers allow. With `consumer`, the broker's "
            "`group.consumer.session.timeout.ms` holds instead.",
        ),
    ] = 6_000
    max_poll_interval_ms: Annotated[
        int,
        Meta(
            ge=10_000,
            le=3_600_000,
            description="A worker whose loop has not turned for this long loses its partitions. A revoked partition "
            "may finish its work for a fifth of it. The loop never waits for a model, so a minute is ample.",
        ),
    ] = 60_000
    extra: Annotated[
        Overrides,
        Meta(
            description="Further librdkafka properties for every client, by name: a table in the file, a JSON object "
            "in the environment. What delivery and order rest on cannot be set."
        ),
    ] = field(default_factory=Overrides)


class TopicSettings(Struct, frozen=True, kw_only=True):
    """How topics are named and created. A topic that exists is never changed."""

    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{0,200}\Z",
            title="letters, digits, '.', '_' and '-', at most 200 of them",
            description="What every topic's name starts with; two chains on one cluster need two prefixes and groups.",
        ),
    ] = "moderation."
    partitions: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            description="Partitions of each topic that is created: the most workers that can share a stage. Few "
            "enough for a laptop's broker with all topics, enough to halve and third the work.",
        ),
    ] = 6
    replication: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=100,
                description="Copies of each partition; without it, the cluster's own `default.replication.factor`, "
                "which is 1 on the local broker.",
            ),
        ]
        | None
    ) = None
    retention_ms: Annotated[
        int,
        Meta(
            ge=60_000,
            le=_LONGEST_MS,
            description="How long public topics (posts, decisions, confidence, flags, feedback, insights) keep a "
            "message. A week lets `replay` compare a changed policy with the week's decisions.",
        ),
    ] = 7 * DAY_MS
    internal_retention_ms: Annotated[
        int,
        Meta(
            ge=3_600_000,
            le=_LONGEST_MS,
            description="How long topics between stages, and retries, keep a message. They are read within seconds: "
            "a day is for a stage that is down over night.",
        ),
    ] = DAY_MS
    dead_letter_retention_ms: Annotated[
        int,
        Meta(
            ge=60_000,
            le=_LONGEST_MS,
            description="How long a dead letter can be inspected and replayed. A month outlives the post itself, "
            "since a dead letter holds all its bytes.",
        ),
    ] = 30 * DAY_MS
