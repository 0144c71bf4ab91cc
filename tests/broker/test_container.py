from __future__ import annotations

from typing import Any

import pytest
import yaml

from streams.broker.jars import KAFKA_FOLDER, kafka_version, locked_jars


@pytest.fixture
def service() -> dict[str, Any]:
    compose = yaml.safe_load((KAFKA_FOLDER.parent / "compose.yaml").read_text(encoding="utf-8"))
    return compose["services"]["kafka"]


def test_the_container_is_the_same_kafka(service: dict[str, Any]) -> None:
    assert service["image"] == f"apache/kafka:{kafka_version(locked_jars())}"


def test_the_container_has_the_same_settings_and_overrides_only_addresses_and_folders(service: dict[str, Any]) -> None:
    """The image appends KAFKA_… to the mounted file, so a key of both would be another setting there."""
    mounted, place, mode = service["volumes"][0].split(":")
    assert (KAFKA_FOLDER.parent / mounted).samefile(KAFKA_FOLDER / "server.properties")
    assert (place, mode) == ("/mnt/shared/config/server.properties", "ro")
    lines = (KAFKA_FOLDER / "server.properties").read_text(encoding="utf-8").splitlines()
    shared = {line.split("=")[0] for line in lines if line and not line.startswith("#")}
    own = {name.removeprefix("KAFKA_").lower().replace("_", ".") for name in service["environment"]}
    assert own.isdisjoint(shared)


def test_only_this_machine_reaches_the_container(service: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
