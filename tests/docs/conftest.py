from __future__ import annotations

from pathlib import Path

import pytest

from streams.broker import LocalBroker


@pytest.fixture
def environment(kafka: LocalBroker, topic_prefix: str, tmp_path: Path) -> dict[str, str]:
    """What the environment of a page's reader has already: the session's Kafka, and nothing that others share."""
    return {
        "MODSTREAM_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MODSTREAM_TOPICS__PREFIX": topic_prefix,
        "MODSTREAM_TOPICS__PARTITIONS": "1",
        "MODSTREAM_GROUP": topic_prefix.rstrip("."),
        "MODSTREAM_STATE_DIR": str(tmp_path / "state"),
        "MODSTREAM_STORE__URL": str(tmp_path / "store"),
        "MODSTREAM_CONSOLE__PORT": "0",
    }
