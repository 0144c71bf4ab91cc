"""Values that must not be seen: they print as stars, wherever a log, a traceback or `modstream config` shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "********"

_SENSITIVE_KEY = re.compile(
    r"password|secret|token|credential|jaas|oauthbearer\.config|key\.pem|ssl[._]key$", re.IGNORECASE
)

_SET_ELSEWHERE: Mapping[str, str] = {
    "bootstrap.servers": "kafka.bootstrap_servers",
    "metadata.broker.list": "kafka.bootstrap_servers",
    "security.protocol": "kafka.security.protocol",
    "sasl.mechanism": "kafka.security.sasl_mechanism",
    "sasl.mechanisms": "kafka.security.sasl_mechanism",
    "sasl.username": "kafka.security.username",
    "sasl.password": "kafka.security.password",
    "ssl.ca.location": "kafka.security.ca_file",
    "ssl.certificate.location": "kafka.security.cert_file",
    "ssl.key.location": "kafka.security.key_file",
    "group.id": "group",
    "group.protocol": "kafka.group_protocol",
    "session.timeout.ms": "kafka.session_timeout_ms",
    "max.poll.interval.ms": "kafka.max_poll_interval_ms",
    "transaction.timeout.ms": "worker.transaction_timeout_ms",
}

_FIXED = frozenset(
    {
        "acks",
        "auto.offset.reset",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "group.instance.id",
        "isolation.level",
        "message.max.bytes",
        "partition.assignment.strategy",
        "partitioner",
        "request.required.acks",
        "transactional.id",
    }
)
"""What delivery, order and partitioning rest on: another value would lose, double or misplace messages in silence."""


class Secret:
    """A text that only `reveal` shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the client that needs it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Overrides(dict[str, str]):
    """librdkafka properties by name; the values of those that hold a secret print as stars."""

    def masked(self) -> dict[str, str]:
        """The same properties, fit to be shown."""
        return {key: MASK if _SENSITIVE_KEY.search(key) else value for key, value in self.items()}

    def __repr__(self) -> str:
        return repr(self.masked())


def overrides(properties: Mapping[str, object]) -> Overrides:
    """Properties as librdkafka takes them: texts; true and false in lower case.

    Raises ValueError with one sentence for a property that modstream sets itself, or whose value is no single value.
    """
    read = Overrides()
    for key, value in properties.items():
        if key in _SET_ELSEWHERE:
            raise ValueError(f"{key} is not set here but with the setting {_SET_ELSEWHERE[key]}")
        if key in _FIXED:
            raise ValueError(f"{key} cannot be set: exactly-once delivery and order rest on modstream's own value")
        if isinstance(value, bool):
            read[key] = str(value).lower()
        elif isinstance(value, str | int | float):
            read[key] = str(value)
        else:
            raise ValueError(f"{key} must be a text, a number, true or false")
    return read
