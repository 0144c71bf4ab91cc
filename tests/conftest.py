from __future__ import annotations

import pytest

from tests.kafka_fixture import broker_outlives_the_test, kafka, topic_prefix

__all__ = ["broker_outlives_the_test", "kafka", "topic_prefix"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses the broker: `-m "not kafka"` runs the rest, in seconds."""
    for item in items:
        if isinstance(item, pytest.Function) and "kafka" in item.fixturenames:
            item.add_marker("kafka")
