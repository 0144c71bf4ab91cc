from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.broker.data_folder import DataFolder, new_cluster_id
from streams.broker.errors import BrokerError


def formatted(path: Path, by: str | None) -> DataFolder:
    """A data folder as a Kafka of this version left it, or one that `modstream broker` did not make."""
    (path / "kafka").mkdir(parents=True)
    (path / "kafka" / "meta.properties").write_text("#\n#Sun Nov 22 05:37:31 UTC 2026\ncluster.id=abc=d\nnode.id=1\n")
    if by is not None:
        (path / "broker.json").write_text(json.dumps({"kafka": by}))
    return DataFolder(path)


def test_one_broker_at_a_time_uses_a_folder(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.claim()
    with pytest.raises(BrokerError, match=r"is in use by another broker \(process \d+\)"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match="file/data cannot be written: Not a directory"):
        DataFolder(tmp_path / "file" / "data").claim()


def test_a_new_folder_has_no_cluster_and_suits_every_kafka(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new")
    assert folder.cluster_id is None
    folder.require_readable_by("4.3.0")


@pytest.mark.parametrize("by", ["4.3.0", "4.2.1", "3.9.10"])
def test_a_folder_of_the_same_or_an_older_kafka_is_used(tmp_path: Path, by: str) -> None:
    folder = formatted(tmp_path / "data", by)
    folder.require_readable_by("4.3.0")
    assert folder.cluster_id == "abc=d"


@pytest.mark.parametrize("by", ["4.3.1", "4.10.0", "5.0.0"])
def test_a_folder_of_a_newer_kafka_is_refused(tmp_path: Path, by: str) -> None:
    with pytest.raises(BrokerError, match=rf"was formatted by Kafka {by}, which is newer than this Kafka 4\.3\.0"):
        formatted(tmp_path / "data", by).require_readable_by("4.3.0")


def test_a_folder_that_another_program_formatted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="was formatted by another program"):
        formatted(tmp_path / "data", None).require_readable_by("4.3.0")


def test_cluster_ids_are_such_as_kafka_makes() -> None:
    ids = {new_cluster_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(cluster_id) == 22 and not cluster_id.startswith("-") for cluster_id in ids)


def test_the_settings_of_a_start_are_the_shared_ones_and_its_own_addresses(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.write_properties(client_port=1234, controller_port=5678)
    lines = folder.properties.read_text().splitlines()
    assert "auto.create.topics.enable=false" in lines
    assert "listeners=PLAINTEXT://127.0.0.1:1234,CONTROLLER://127.0.0.1:5678" in lines
    assert "log.dirs=kafka" in lines
    keys = [line.split("=")[0] for line in lines if "=" in line and not line.startswith("#")]
    assert len(set(keys)) == len(keys)
