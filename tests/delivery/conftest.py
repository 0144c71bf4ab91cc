from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.broker import LocalBroker
from tests.delivery.cluster import Cluster


@pytest.fixture
def cluster(kafka: LocalBroker, topic_prefix: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka.bootstrap_servers, topic_prefix, tmp_path)
    yield made
    made.close()
