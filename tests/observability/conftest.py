from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from tests.observability.instruments import Sample, SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def sample(registry: CollectorRegistry) -> Sample:
    def read(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"modstream_{name}", labels)

    return read
