"""The chart installs the very rules and dashboards of infra/prometheus and infra/grafana."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.chart import CHART, ROOT, container, environment, helm, of_kind, render, rendered, workers

pytestmark = pytest.mark.infra

RULES = sorted((ROOT / "infra" / "prometheus").glob("*_rules.yml"))
DASHBOARDS = sorted((ROOT / "infra" / "grafana").glob("*.json"))


def test_the_rules_are_those_that_promtool_checks() -> None:
    (rule,) = of_kind(rendered("cpu"), "PrometheusRule").values() or [None]
    assert rule is not None
    wanted = [group for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    found: list[dict[str, Any]] = rule["spec"]["groups"]
    by_name = {group["name"]: group for group in found}
    assert len(by_name) == len(found) == len(wanted) > 0
    assert by_name == {group["name"]: group for group in wanted}


def test_every_dashboard_is_a_config_map_that_grafana_s_sidecar_finds() -> None:
    maps = [m for m in of_kind(rendered("cpu"), "ConfigMap").values() if "grafana_dashboard" in m["metadata"]["labels"]]
    found = {name: json.loads(text) for each in maps for name, text in each["data"].items()}
    assert found == {path.name: json.loads(path.read_text(encoding="utf-8")) for path in DASHBOARDS}
    assert len(found) > 0


def test_every_worker_is_scraped() -> None:
    (monitor,) = of_kind(rendered("cpu"), "PodMonitor").values()
    wanted = monitor["spec"]["selector"]["matchLabels"]
    (components,) = monitor["spec"]["selector"]["matchExpressions"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    # The rules say `up{job="modstream"}`.
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "modstream"}]
    insights = of_kind(rendered("cpu"), "Deployment")["insights"]
    for deployment in (*workers(rendered("cpu")).values(), insights):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert wanted.items() <= labels.items()
        assert labels[components["key"]] in components["values"]
        (port,) = container(deployment)["ports"]
        assert port["name"] == endpoint["port"]
        assert environment(container(deployment))["MODSTREAM_HTTP__PORT"] == str(port["containerPort"])


def test_a_packaged_chart_holds_what_the_links_lead_to(tmp_path: Path) -> None:
    subprocess.run([helm(), "package", str(CHART), "--destination", str(tmp_path)], check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as packed:
        files = {member.name: member for member in packed.getmembers()}
    for path in (*RULES, *DASHBOARDS):
        member = files[f"modstream/files/{path.parent.name}/{path.name}"]
        assert member.isfile()
        assert member.size == path.stat().st_size


def test_the_console_asks_every_worker_and_takes_its_tokens_from_a_secret() -> None:
    manifests = rendered("cpu")
    service = of_kind(manifests, "Service")["workers"]
    assert service["spec"]["clusterIP"] == "None"
    for deployment in workers(manifests).values():
        assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    console = container(of_kind(manifests, "Deployment")["console"])
    variables = environment(console)
    assert variables["MODSTREAM_CONSOLE__WORKERS"] == "http://mod-modstream-workers.moderation.svc:8080"
    assert variables["MODSTREAM_CONSOLE__PORT"] == str(console["ports"][0]["containerPort"])
    (tokens,) = (entry for entry in console["env"] if entry["name"] == "MODSTREAM_CONSOLE__TOKENS")
    assert tokens["valueFrom"]["secretKeyRef"] == {"name": "modstream-console", "key": "tokens"}


def test_shadow_and_canary_are_values_and_the_canary_is_judged_by_a_job() -> None:
    values = {
        "packs": {"claim": "packs"},
        "shadow": {"policy": "/etc/modstream/policies/strict.yaml"},
        "policies": {"configMap": "policies"},
        "canary": {"pack": "/packs/next", "share": 0.1},
    }
    manifests = render("cpu", values)
    for deployment in workers(manifests).values():
        variables = environment(container(deployment))
        assert variables["MODSTREAM_SHADOW__POLICY"] == "/etc/modstream/policies/strict.yaml"
        assert variables["MODSTREAM_CANARY__PACK"] == "/packs/next"
        assert variables["MODSTREAM_CANARY__SHARE"] == "0.1"
        mounts = {mount["mountPath"] for mount in container(deployment)["volumeMounts"]}
        assert {"/packs", "/etc/modstream/policies"} <= mounts
    (job,) = (m for m in manifests if m["kind"] == "CronJob" and m["metadata"]["name"].endswith("-canary"))
    (judge,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert judge["command"][:2] == ["sh", "-c"]
    assert judge["args"] == ["canary", "--json"]
    assert not any(m["metadata"]["name"].endswith("-canary") for m in rendered("cpu"))


def test_a_changed_policy_rolls_the_workers() -> None:
    def annotation(text: str) -> str:
        (deployment,) = workers(render("laptop", {"policies": {"files": {"house.yaml": text}}})).values()
        found: str = deployment["spec"]["template"]["metadata"]["annotations"]["modstream/policies"]
        return found

    assert annotation("a: 1\n") == annotation("a: 1\n")
    assert annotation("a: 1\n") != annotation("a: 2\n")
