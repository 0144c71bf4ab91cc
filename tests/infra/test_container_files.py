"""The Dockerfile and the compose file, as far as reading them tells; there is a test for each way to be wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.worker import HOSTABLE
from infra.checks.compose import compose_faults
from infra.checks.dockerfile import dockerfile_faults
from infra.checks.outcome import ROOT, Outcome
from streams.settings.catalogue import catalogue

COMPOSE = ROOT / "infra" / "compose.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGED: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]


def test_without_a_profile_there_is_only_kafka(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "profiles" not in service] == ["kafka"]


def test_there_is_one_container_a_stage(services: dict[str, Any]) -> None:
    commands = [service["command"] for service in services.values() if service.get("command", [""])[0] == "worker"]
    assert commands == [["worker", stage.value] for stage in HOSTABLE]


def test_every_stage_is_scraped_and_shown_on_the_console(services: dict[str, Any]) -> None:
    prometheus = yaml.safe_load((ROOT / "infra" / "compose" / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = prometheus["scrape_configs"]
    assert set(HOSTABLE) <= set(job["dns_sd_configs"][0]["names"]) <= services.keys()
    assert job["job_name"] == "modstream"
    shown = services["console"]["environment"]["MODSTREAM_CONSOLE__WORKERS"].split(",")
    assert shown == [f"http://{stage.value}:8080" for stage in HOSTABLE]


def test_our_containers_are_told_settings_that_there_are(services: dict[str, Any]) -> None:
    settings = {entry.env for entry in catalogue().values()}
    for service in services.values():
        names = {name for name in service.get("environment", {}) if name.startswith("MODSTREAM_")}
        assert names <= settings


def test_grafana_has_the_datasource_that_prometheus_is() -> None:
    folder = ROOT / "infra" / "compose"
    (source,) = yaml.safe_load((folder / "grafana-datasource.yml").read_text(encoding="utf-8"))["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")


def test_the_files_of_this_repository_have_no_fault() -> None:
    assert list(compose_faults(COMPOSE)) == []
    assert list(dockerfile_faults(DOCKERFILE, IGNORE, PACKAGED)) == []


@pytest.mark.parametrize("folder", PACKAGED)
def test_a_folder_of_the_wheel_that_does_not_reach_the_build_is_a_fault(folder: str) -> None:
    ignore = IGNORE.replace(f"!{folder}\n", "")
    assert any(f"the wheel holds {folder}/" in fault for fault in dockerfile_faults(DOCKERFILE, ignore, PACKAGED))


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("USER 10001:10001", "USER modstream", "the image runs as modstream: expected a number"),
        ("USER 10001:10001", "USER 0", "the image runs as 0"),
        ('ENTRYPOINT ["modstream"]', "ENTRYPOINT modstream", "not in exec form"),
        ("VOLUME /var/lib/modstream", "", "MODSTREAM_STATE_DIR is no VOLUME"),
        ("HOME=/var/lib/modstream", "HOME=/root", "HOME is /root"),
        ("python:3.12-slim-bookworm", "python:latest", "FROM python:latest is not pinned"),
    ],
)
def test_a_fault_of_the_dockerfile_is_named(written: str, instead: str, said: str) -> None:
    assert written in DOCKERFILE
    faults = list(dockerfile_faults(DOCKERFILE.replace(written, instead), IGNORE))
    assert any(said in fault for fault in faults)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": "modstream"}, "image 'modstream' is not pinned"),
        ({"read_only": False}, "its root can be written"),
        ({"cap_drop": []}, "it keeps privileges"),
        ({"tmpfs": []}, "it has no tmpfs at /tmp"),
        ({"ports": ["8090:8090"]}, "port 8090:8090 is open to other machines"),
        ({"volumes": ["nowhere:/x"]}, "mounts the volume nowhere, which is not declared"),
        ({"volumes": ["./nowhere:/x"]}, "mounts ./nowhere, which does not exist"),
        ({"depends_on": ["nobody"]}, "depends on nobody, which does not exist"),
    ],
)
def test_a_fault_of_the_compose_file_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    service = {"image": "modstream:0.1.0", **compose["services"]["encode"], "depends_on": [], **change}
    path = tmp_path / "compose.yaml"
    path.write_text(yaml.safe_dump({"services": {"encode": service}, "volumes": {"modstream": None}}), encoding="utf-8")
    assert any(said in fault for fault in compose_faults(path))


def test_a_failed_check_says_so_and_a_skipped_one_why() -> None:
    assert Outcome.of("x", ["broken"]).lines() == ["x: FAILED", "  broken"]
    assert Outcome("x", skipped="no tool").lines() == ["x: skipped, no tool"]
    assert Outcome("x", notes=("n",)).lines() == ["x: ok", "  n"]
