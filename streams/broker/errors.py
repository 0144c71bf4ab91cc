"""What the local broker says when it cannot do what was asked."""

from __future__ import annotations

CONTAINER_ALTERNATIVE = "docker compose -f infra/compose.yaml up -d"


class BrokerError(Exception):
    """The local broker cannot start or go on; the message is one sentence for a person: what, where, what to do."""
