"""librdkafka's own error codes, which its Python binding names like private members."""

from __future__ import annotations

from confluent_kafka import KafkaError

ALL_BROKERS_DOWN = int(KafkaError._ALL_BROKERS_DOWN)  # noqa: SLF001
AUTHENTICATION = int(KafkaError._AUTHENTICATION)  # noqa: SLF001
SSL = int(KafkaError._SSL)  # noqa: SLF001
PARTITION_EOF = int(KafkaError._PARTITION_EOF)  # noqa: SLF001
QUEUE_FULL = int(KafkaError._QUEUE_FULL)  # noqa: SLF001
FENCING = frozenset({int(KafkaError._FENCED), int(KafkaError.INVALID_PRODUCER_EPOCH), 90})  # noqa: SLF001
"""Another producer has the transactional id; 90 is PRODUCER_FENCED, which the binding does not name."""
AUTHORIZATION = frozenset(
    {
        int(KafkaError.TOPIC_AUTHORIZATION_FAILED),
        int(KafkaError.GROUP_AUTHORIZATION_FAILED),
        int(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
        int(KafkaError.CLUSTER_AUTHORIZATION_FAILED),
    }
)
"""An ACL is missing: trying again changes nothing."""
