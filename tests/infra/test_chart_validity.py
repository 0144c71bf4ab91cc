"""What the chart renders is something that a cluster takes."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any, cast

import pytest
import yaml

from streams.settings.catalogue import catalogue
from tests.infra.chart import (
    CHART,
    PROFILES,
    ROOT,
    environment,
    helm,
    pod_specs,
    render,
    rendered,
    values_file,
)
from tests.infra.kubernetes_schemas import faults

pytestmark = pytest.mark.infra

EVERYTHING: dict[str, Any] = {
    "settings": {"topics.retention_ms": 604_800_000, "media.allow_http": False, "metrics.regions": ["eu", "us"]},
    "policies": {"files": {"house.yaml": "version: 1\n"}},
    "policy": "/etc/modstream/policies/house.yaml",
    "packs": {"claim": "packs"},
    "shadow": {"pack": "/packs/next"},
    "canary": {"pack": "/packs/next", "share": 0.05},
    "console": {"enabled": True, "tokens": {"secret": "tokens"}, "ingress": {"enabled": True, "host": "mod.example"}},
    "insights": {"enabled": True},
    "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": ["registry"]},
    "kafka": {"security": {"tls": {"secret": "ca", "certKey": "tls.crt", "keyKey": "tls.key"}}},
    "segmentDefaults": {"autoscaling": {"scaler": "kafka"}},
    "networkPolicies": {"fetch": {"except": ["203.0.113.0/24", "2001:db8::/32"]}, "console": {"from": [{}]}},
}
"""Values that make the chart render all that it can."""


@pytest.mark.parametrize("profile", PROFILES)
def test_helm_finds_no_fault(profile: str) -> None:
    command = [helm(), "lint", "--strict", str(CHART), "--values", str(values_file(profile))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("profile", PROFILES)
def test_every_manifest_is_valid_by_the_real_schemas(profile: str) -> None:
    assert {f"{m['kind']}/{m['metadata']['name']}": faults(m) for m in rendered(profile) if faults(m)} == {}


def test_every_manifest_is_valid_with_everything_switched_on() -> None:
    manifests = render("cpu", EVERYTHING)
    assert {f"{m['kind']}/{m['metadata']['name']}": faults(m) for m in manifests if faults(m)} == {}
    assert {"TriggerAuthentication", "Ingress", "CronJob", "ConfigMap", "NetworkPolicy"} <= {
        m["kind"] for m in manifests
    }


def test_a_field_that_no_schema_has_is_a_fault() -> None:
    """The check itself: without this, a misspelt field would pass."""
    for kind in ("Deployment", "ScaledObject", "PodMonitor"):
        manifest = next(m for m in rendered("cpu") if m["kind"] == kind)
        assert faults(manifest) == []
        assert faults({**manifest, "spec": {**manifest["spec"], "misspelt": 1}}) != []


@pytest.mark.parametrize("profile", PROFILES)
def test_names_are_unique(profile: str) -> None:
    names = [(m["kind"], m["metadata"]["name"]) for m in rendered(profile)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("profile", "values"), [*((profile, {}) for profile in PROFILES), ("cpu", EVERYTHING)])
def test_every_variable_is_a_setting(profile: str, values: dict[str, Any]) -> None:
    settings = {entry.env for entry in catalogue().values()}
    for spec in pod_specs(render(profile, values)).values():
        for container in spec["containers"]:
            names = [entry["name"] for entry in container["env"]]
            assert len(names) == len(set(names))
            assert {name for name in names if name.startswith("MODSTREAM_")} <= settings


def test_a_value_reaches_the_worker_as_its_setting_reads_it() -> None:
    """Helm reads every number as a float, and an empty list, false and zero must not be taken for nothing."""
    given = {"topics.retention_ms": 604_800_000, "media.allow_http": False, "retry.max_attempts": 0}
    more = {"tracing.sample_ratio": 0.25, "metrics.regions": ["eu", "us"], "kafka.extra": {"linger.ms": "5"}}
    specs = pod_specs(render("laptop", {"settings": {**given, **more}}))
    variables = environment(specs["Deployment/mod-modstream-all"]["containers"][0])
    assert variables["MODSTREAM_TOPICS__RETENTION_MS"] == "604800000"
    assert variables["MODSTREAM_MEDIA__ALLOW_HTTP"] == "false"
    assert variables["MODSTREAM_RETRY__MAX_ATTEMPTS"] == "0"
    assert variables["MODSTREAM_TRACING__SAMPLE_RATIO"] == "0.25"
    assert variables["MODSTREAM_METRICS__REGIONS"] == "eu,us"
    assert variables["MODSTREAM_KAFKA__EXTRA"] == '{"linger.ms":"5"}'


def test_insights_and_console_go_by_the_settings_of_all_that_concern_them() -> None:
    given = {"metrics.tenants": ["acme"], "topics.internal_retention_ms": 7_200_000, "media.file_roots": ["/mnt"]}
    own = {"insights": {"settings": {"topics.internal_retention_ms": 3_600_000}}}
    specs = pod_specs(render("cpu", {"settings": {**given, "log.level": "warning"}, **own}))
    insights, console = (
        environment(specs[f"Deployment/mod-modstream-{name}"]["containers"][0]) for name in ("insights", "console")
    )
    # Or the groups that workers tell apart would all be `other` there.
    assert insights["MODSTREAM_METRICS__TENANTS"] == "acme"
    assert insights["MODSTREAM_TOPICS__INTERNAL_RETENTION_MS"] == "3600000"
    assert insights["MODSTREAM_LOG__LEVEL"] == console["MODSTREAM_LOG__LEVEL"] == "warning"
    # They have no such folder, and would refuse to start.
    assert "MODSTREAM_MEDIA__FILE_ROOTS" not in insights.keys() | console.keys()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_image_is_pinned(profile: str) -> None:
    for spec in pod_specs(rendered(profile)).values():
        for container in spec["containers"]:
            _, _, tag = container["image"].rpartition(":")
            assert re.fullmatch(r"\d+\.\d+\.\d+(-gpu)?", tag), container["image"]


def test_a_digest_goes_before_a_tag() -> None:
    (spec, *_) = pod_specs(render("laptop", {"image": {"digest": "sha256:" + "a" * 64, "tag": "9"}})).values()
    assert spec["containers"][0]["image"] == "modstream@sha256:" + "a" * 64


def test_the_chart_names_the_release_that_this_is() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["appVersion"] == cast("str", project["version"])
