"""Who can log in to the secured broker."""

from __future__ import annotations

from tests.secured_kafka.secured_broker import User

WORKER = User("worker", "pw-of-worker")
ENCODER = User("encoder", "pw-of-encoder")
PUBLISHER = User("publisher", "pw-of-publisher")
READER = User("reader", "pw-of-reader")
OPERATOR = User("operator", "pw-of-operator")
CREATOR = User("creator", "pw-of-creator")
INSIGHTS = User("insights", "pw-of-insights")
USERS = (WORKER, ENCODER, PUBLISHER, READER, OPERATOR, CREATOR, INSIGHTS)
