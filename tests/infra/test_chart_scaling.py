"""Workers come and go with lag in seconds, never more than there are partitions."""

from __future__ import annotations

from typing import Any

import pytest

from streams.metrics.catalogue import CATALOGUE
from tests.infra.chart import of_kind, refusal, render, rendered, workers

pytestmark = pytest.mark.infra


@pytest.mark.parametrize(("profile", "partitions"), [("cpu", 24), ("gpu", 48)])
def test_no_segment_scales_past_the_partition_count(profile: str, partitions: int) -> None:
    scaled = of_kind(rendered(profile), "ScaledObject")
    assert scaled.keys() == workers(rendered(profile)).keys()
    assert all(1 <= s["spec"]["minReplicaCount"] <= s["spec"]["maxReplicaCount"] <= partitions for s in scaled.values())


def test_without_a_maximum_it_is_the_partition_count() -> None:
    scaled = of_kind(render("cpu", {"topics": {"partitions": 30}}), "ScaledObject")
    assert scaled["judge"]["spec"]["maxReplicaCount"] == 30


def test_a_maximum_above_the_partition_count_is_refused() -> None:
    said = refusal("cpu", {"segmentDefaults": {"autoscaling": {"max": 25}}})
    assert "segment judge: autoscaling.max is 25, but topics have 24 partitions" in said
    assert "expected at most 24" in said


def test_lag_in_seconds_is_what_is_scaled_on_and_silence_is_no_lag_of_zero() -> None:
    assert "modstream_lag_seconds" in {spec.name for spec in CATALOGUE}
    for name, scaled in of_kind(rendered("cpu"), "ScaledObject").items():
        (trigger,) = (t for t in scaled["spec"]["triggers"] if t["type"] == "prometheus")
        assert trigger["metadata"]["query"].startswith('max(modstream_lag_seconds{namespace="moderation",topic=~"')
        assert trigger["metadata"]["threshold"] == ("300" if name == "long" else "10")
        assert trigger["metadata"]["ignoreNullValues"] == "false"
        assert trigger["metricType"] == "Value"
        assert scaled["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"


def test_replicas_are_left_to_the_scaler_where_there_is_one() -> None:
    assert all("replicas" not in deployment["spec"] for deployment in workers(rendered("cpu")).values())


def test_where_there_is_no_prometheus_kafka_is_asked() -> None:
    values: dict[str, Any] = {"segmentDefaults": {"autoscaling": {"scaler": "kafka", "lagMessages": 500}}}
    manifests = render("cpu", values)
    triggers = of_kind(manifests, "ScaledObject")["judge"]["spec"]["triggers"]
    asked = {t["metadata"]["topic"]: t for t in triggers if t["type"] == "kafka"}
    assert asked.keys() == {
        f"moderation.{stage}{lane}" for stage in ("pack", "encode", "fuse") for lane in ("", ".urgent")
    }
    for trigger in asked.values():
        assert trigger["metadata"]["consumerGroup"] == "modstream"
        assert trigger["metadata"]["lagThreshold"] == "500"
        assert (trigger["metadata"]["sasl"], trigger["metadata"]["tls"]) == ("scram_sha512", "enable")
        assert trigger["authenticationRef"]["name"] == "mod-modstream-kafka"
    (authentication,) = (m for m in manifests if m["kind"] == "TriggerAuthentication")
    assert authentication["metadata"]["name"] == "mod-modstream-kafka"
    assert {entry["parameter"] for entry in authentication["spec"]["secretTargetRef"]} == {"username", "password", "ca"}


def test_workers_that_only_retry_are_not_scaled_on_what_is_not_due() -> None:
    segments = [
        {"name": "retry", "stages": ["retry"], "autoscaling": {"enabled": True}},
        {"name": "all", "stages": ["ingest", "fetch", "ocr", "asr", "pack", "encode", "fuse"]},
    ]
    assert "autoscaling has nothing to go by" in refusal("laptop", {"segments": segments})


def test_prometheus_must_have_an_address() -> None:
    said = refusal("laptop", {"segmentDefaults": {"autoscaling": {"enabled": True}}})
    assert "autoscaling.prometheus.serverAddress is empty: expected its address" in said


@pytest.mark.parametrize("profile", ["laptop", "cpu", "gpu"])
def test_every_segment_has_a_budget_of_disruptions_that_fits_its_pods(profile: str) -> None:
    budgets = of_kind(rendered(profile), "PodDisruptionBudget")
    deployments = workers(rendered(profile))
    assert budgets.keys() == deployments.keys()
    for name, budget in budgets.items():
        labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert budget["spec"]["maxUnavailable"] == 1
