"""Whether the group has let a member in that has no partitions."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

ASK_TIMEOUT_S = 2.0
"""The loop waits for the answer; a broker that is there needs some milliseconds."""


def is_member(admin: AdminClient, group: str, member_id: str | None) -> bool:
    """Ask the group's coordinator; False where it does not answer, or has no such member yet.

    With the protocol `consumer` (KIP-848), the client calls back for partitions that come or go, and so never for a
    member that is given none, as when a topic has fewer partitions than there are workers.
    """
    if not member_id:
        return False
    client: Any = admin  # the binding does not say what its futures hold
    try:
        found = client.describe_consumer_groups([group], request_timeout=ASK_TIMEOUT_S)[group].result()
    except KafkaException:
        return False
    return any(member.member_id == member_id for member in found.members)
