"""Stages are scaled, moved to a GPU, or fused with others by values alone, and none is left without a worker."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from commands.worker import HOSTABLE
from schemas import Stage
from streams.assembly import WITH_MEDIA
from streams.settings.tree import Settings
from streams.topology import LONG_STAGES, StageLane, Topics, lanes_of
from streams.worker.worker import STOP_MARGIN_S
from tests.infra.chart import (
    CHART,
    PROFILES,
    Manifest,
    container,
    environment,
    of_kind,
    refusal,
    render,
    rendered,
    workers,
)

pytestmark = pytest.mark.infra

EVERY_LANE: set[StageLane] = {(stage, lane) for stage in HOSTABLE for lane in lanes_of(stage)}

SPLIT: list[dict[str, Any]] = [{"name": stage.value, "stages": [stage.value]} for stage in HOSTABLE]
"""One segment a stage."""


def served(deployments: dict[str, Manifest]) -> list[StageLane]:
    """Which lanes of which stages these workers read, as the worker itself understands its arguments."""
    found: list[StageLane] = []
    for deployment in deployments.values():
        _, *stages = container(deployment)["args"]
        lanes = environment(container(deployment))["MODSTREAM_WORKER__LANES"].split(",")
        found += [(Stage(stage), lane) for stage in stages for lane in lanes_of(Stage(stage)) if lane in lanes]
    return found


def test_the_chart_knows_the_stages_of_the_chain() -> None:
    topology = yaml.safe_load((CHART / "files" / "topology.yaml").read_text(encoding="utf-8"))
    assert topology["stages"] == list(HOSTABLE)
    assert topology["long"] == list(LONG_STAGES)
    assert set(topology["media"]) == WITH_MEDIA


@pytest.mark.parametrize("profile", PROFILES)
def test_every_lane_of_every_stage_is_served_by_exactly_one_segment(profile: str) -> None:
    lanes = served(workers(rendered(profile)))
    assert sorted(lanes) == sorted(EVERY_LANE)


def test_stages_are_split_and_fused_by_values_alone() -> None:
    split = workers(render("laptop", {"segments": SPLIT, "store": {"claim": {"accessMode": "ReadWriteMany"}}}))
    assert {name: container(deployment)["args"] for name, deployment in split.items()} == {
        stage.value: ["worker", stage.value] for stage in HOSTABLE
    }
    assert sorted(served(split)) == sorted(EVERY_LANE)
    fused = workers(rendered("laptop"))
    assert [container(deployment)["args"] for deployment in fused.values()] == [["worker", *HOSTABLE]]


def test_a_stage_is_scaled_by_values_alone() -> None:
    segments = [{**segment, "replicas": 5 if segment["name"] == "encode" else 1} for segment in SPLIT]
    shared = {"store": {"claim": {"accessMode": "ReadWriteMany"}}}
    replicas = {
        n: d["spec"]["replicas"] for n, d in workers(render("laptop", {"segments": segments, **shared})).items()
    }
    assert replicas == {stage.value: 5 if stage is Stage.ENCODE else 1 for stage in HOSTABLE}


def test_a_stage_is_moved_to_a_gpu_by_values_alone() -> None:
    onto = {
        "device": "tensorrt",
        "gpus": 1,
        "nodeSelector": {"gpu": "l4"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "engineCache": {"claim": "engines"},
    }
    segments = [{**segment, **(onto if segment["name"] == "encode" else {})} for segment in SPLIT]
    shared = {"store": {"claim": {"accessMode": "ReadWriteMany"}}}
    found = workers(render("laptop", {"segments": segments, **shared}))
    pod = found["encode"]["spec"]["template"]["spec"]
    worker = container(found["encode"])
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert worker["resources"]["limits"]["memory"] == "4Gi"
    assert worker["image"] == "modstream:0.1.0-gpu"
    assert pod["nodeSelector"] == {"gpu": "l4"}
    assert pod["tolerations"] == onto["tolerations"]
    assert environment(worker)["MODSTREAM_WORKER__DEVICE"] == "tensorrt"
    (mount,) = (mount for mount in worker["volumeMounts"] if mount["name"] == "engines")
    assert environment(worker)["MODSTREAM_WORKER__ENGINES"] == mount["mountPath"]
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == "engines")
    assert volume["persistentVolumeClaim"] == {"claimName": "engines", "readOnly": True}
    assert found["encode"]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    for name in found.keys() - {"encode"}:
        assert "nvidia.com/gpu" not in container(found[name])["resources"]["limits"]
        assert environment(container(found[name]))["MODSTREAM_WORKER__DEVICE"] == "cpu"


def test_the_engine_cache_may_be_a_folder_of_the_node() -> None:
    onto = {"device": "tensorrt", "gpus": 1, "engineCache": {"hostPath": "/var/engines"}}
    (deployment,) = workers(render("laptop", {"segments": [{"name": "all", "stages": ["all"], **onto}]})).values()
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    (volume,) = (volume for volume in volumes if volume["name"] == "engines")
    assert volume["hostPath"] == {"path": "/var/engines", "type": "Directory"}


def test_a_worker_takes_its_share_of_a_node_for_all_there_is() -> None:
    """A quota of cores is nothing that a process sees when it counts them."""
    for cpu, threads in (("1500m", "2"), ("3", "3"), (2.5, "3"), (4, "4")):
        resources = {"limits": {"cpu": cpu}}
        (deployment,) = workers(render("laptop", {"segmentDefaults": {"resources": resources}})).values()
        variables = environment(container(deployment))
        assert variables["MODSTREAM_WORKER__CPU_THREADS"] == threads
        assert variables["MODSTREAM_MEDIA__DECODERS"] == threads


@pytest.mark.parametrize("drain_s", [None, 0, 25, 120.5])
def test_a_pod_is_given_longer_than_its_worker_takes_to_drain(drain_s: float | None) -> None:
    values = {} if drain_s is None else {"settings": {"worker.drain_timeout_s": drain_s}}
    limit_s = Settings().worker.drain_timeout_s if drain_s is None else drain_s
    for deployment in workers(render("cpu", values)).values():
        grace_s = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace_s > limit_s + STOP_MARGIN_S


def test_one_segment_may_drain_for_longer_than_the_others() -> None:
    segments = [{"name": "all", "stages": ["all"], "settings": {"worker.drain_timeout_s": 600}}]
    (deployment,) = workers(render("laptop", {"segments": segments})).values()
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 600 + STOP_MARGIN_S
    assert environment(container(deployment))["MODSTREAM_WORKER__DRAIN_TIMEOUT_S"] == "600"


def test_topics_are_made_before_workers_start_and_as_the_workers_expect_them() -> None:
    values = {"topics": {"partitions": 12, "prefix": "mod.", "replication": 3}}
    manifests = render("cpu", {**values, "segmentDefaults": {"autoscaling": {"enabled": False}}})
    job = of_kind(manifests, "Job")["topics"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    (container_,) = job["spec"]["template"]["spec"]["containers"]
    assert container_["args"] == ["topics", "create"]
    variables = environment(container_)
    wanted = {"PARTITIONS": "12", "PREFIX": "mod.", "REPLICATION": "3"}
    assert {name: variables[f"MODSTREAM_TOPICS__{name}"] for name in wanted} == wanted
    # The hook comes before the release's own objects: it must need none of them.
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    for deployment in workers(manifests).values():
        assert environment(container(deployment))["MODSTREAM_TOPICS__PREFIX"] == "mod."


@pytest.mark.parametrize("stage", HOSTABLE)
def test_a_stage_that_nobody_serves_is_refused(stage: Stage) -> None:
    others = [segment for segment in SPLIT if segment["name"] != stage.value]
    said = refusal("laptop", {"segments": others})
    for lane in lanes_of(stage):
        assert f"nobody serves the lane {lane} of the stage {stage.value}" in said
    assert said.count("nobody serves") == len(lanes_of(stage))


def test_a_lane_that_nobody_serves_is_refused() -> None:
    said = refusal("laptop", {"segments": [{"name": "all", "stages": ["all"], "lanes": ["standard", "urgent"]}]})
    assert [line for line in said.splitlines() if "nobody serves" in line] == [
        f"nobody serves the lane long of the stage {stage.value}: expected it in a segment with replicas, or its posts "
        "wait for ever"
        for stage in LONG_STAGES
    ]


def test_a_segment_without_workers_serves_nobody() -> None:
    assert "nobody serves" in refusal("laptop", {"segments": [{"name": "all", "stages": ["all"], "replicas": 0}]})


NONSENSE: list[tuple[dict[str, Any], str]] = [
    (
        {"segments": [{"name": "all", "stages": ["igest"]}]},
        "segment all: there is no stage igest: expected all, or some of ingest, fetch,",
    ),
    ({"segmnts": []}, "additional properties 'segmnts' not allowed"),
    ({"segmentDefaults": {"device": "cuda"}}, "device is cuda and gpus is 0: expected at least 1"),
    ({"segmentDefaults": {"gpus": 1}}, "device is cpu and gpus is 1: expected device cuda or tensorrt"),
    ({"segmentDefaults": {"engineCache": {"claim": "x"}}}, "engineCache has no effect with device cpu"),
    ({"segmentDefaults": {"replicas": 7}}, "7 replicas, but topics have 6 partitions"),
    ({"settings": {"worker.lanes": "long"}}, "settings has worker.lanes, which is set with the value segments[].lanes"),
    ({"graceMarginSeconds": 5}, "'/graceMarginSeconds': minimum: got 5, want 10"),
    ({"image": {"tag": "latest"}}, "image.tag is latest: expected a release or a digest"),
    ({"kafka": {"bootstrapServers": ""}}, "kafka.bootstrapServers is empty: expected host:port"),
    ({"kafka": {"security": {"protocol": "sasl_ssl"}}}, "expected kafka.security.saslMechanism and"),
    ({"kafka": {"security": {"tls": {"secret": "ca"}}}}, "has no effect with kafka.security.protocol plaintext"),
    ({"store": {"claim": {"create": False}}}, "store.url and store.claim are empty"),
    ({"segmentDefaults": {"replicas": 2}}, "store.claim.accessMode is ReadWriteOnce, and up to 2 pods have media"),
    ({"policy": "/etc/modstream/policies/house.yaml"}, "there is neither policies.files nor policies.configMap"),
    ({"pack": "/packs/next"}, "packs.claim is empty: expected the claim that holds it"),
    ({"console": {"enabled": True}}, "console.tokens.secret is empty"),
    (
        {"settings": {"store.retention_days": 0}, "store": {"sweep": {"schedule": "1 1 * * *"}}},
        "the setting store.retention_days is 0, which keeps media for ever",
    ),
    ({"segments": [{"name": "a", "stages": ["all"]}, {"name": "a", "stages": ["all"]}]}, "two segments of this name"),
]


@pytest.mark.parametrize(("values", "said"), NONSENSE, ids=[said[:40] for _, said in NONSENSE])
def test_values_that_cannot_be_meant_are_refused_with_one_clear_message(values: dict[str, Any], said: str) -> None:
    assert said in refusal("laptop", values)


def test_several_mistakes_are_told_at_once() -> None:
    said = refusal("laptop", {"segmentDefaults": {"gpus": 1, "replicas": 9}, "pack": "/packs/next"})
    assert all(part in said for part in ("gpus is 1", "9 replicas", "packs.claim is empty"))


def test_every_topic_of_the_chain_is_scaled_on() -> None:
    """All but the retry topics: what waits there is not due yet."""
    queries = [
        trigger["metadata"]["query"]
        for scaled in of_kind(rendered("cpu"), "ScaledObject").values()
        for trigger in scaled["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]
    asked = [topic for query in queries for topic in query.split('topic=~"')[1].split('"')[0].split("|")]
    topics = Topics().inputs(tuple(stage for stage in HOSTABLE if stage is not Stage.RETRY))
    assert sorted(topic.replace("[.]", ".") for topic in asked) == sorted(topics)
