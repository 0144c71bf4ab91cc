"""The real Kafka of a test session, and names that keep its tests apart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from streams.broker import LocalBroker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """One local Apache Kafka for the whole session, started by the first test that asks for it.

    A test may `stop()` or `kill()` it and `start()` it again: port and data stay the same. One that leaves it stopped
    does no harm to the next (`broker_outlives_the_test`).
    """
    broker = LocalBroker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(autouse=True)
def broker_outlives_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start the session's broker again where a test that used it ended without."""
    yield
    if "kafka" in request.fixturenames:
        broker: LocalBroker = request.getfixturevalue("kafka")
        if not broker.running:
            broker.start()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics, groups and transactional ids that no other test has, with a dot at its end."""
    return f"test-{uuid.uuid4().hex[:12]}."
