from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.kafka_fixture import broker_outlives_the_test, kafka, topic_prefix

# Time limits of single examples would fail on slow machines only; the same examples each time, and no luck.
settings.register_profile("patient", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

__all__ = ["broker_outlives_the_test", "kafka", "topic_prefix"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses the broker: `-m "not kafka"` runs the rest, in seconds."""
    for item in items:
        if isinstance(item, pytest.Function) and "kafka" in item.fixturenames:
            item.add_marker("kafka")
