"""A real, single-node Apache Kafka on this machine, from Python packages alone."""

from __future__ import annotations

from streams.broker.errors import BrokerError
from streams.broker.foreground import run_broker
from streams.broker.local import LocalBroker

__all__ = ["BrokerError", "LocalBroker", "run_broker"]
