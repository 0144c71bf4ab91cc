"""Pods may do little, reach little, and tell no secrets."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from streams.settings.catalogue import catalogue
from streams.settings.private import Secret
from tests.infra.chart import (
    PROFILES,
    Manifest,
    container,
    environment,
    of_kind,
    pod_specs,
    render,
    rendered,
    workers,
)

pytestmark = pytest.mark.infra

PRIVATE = ("10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00:ec2::254", "fe80::1", "::1")
METADATA = ("169.254.169.254", "168.63.129.16", "100.100.100.200")
"""Where clouds tell machines who they are, and hand out credentials."""


@pytest.mark.parametrize("profile", PROFILES)
def test_every_pod_is_restricted(profile: str) -> None:
    """As the Pod Security level `restricted` asks, and a root that nobody writes to."""
    for spec in pod_specs(rendered(profile)).values():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not any(spec.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC"))
        assert not any("hostPath" in volume for volume in spec["volumes"])
        for each in spec["containers"]:
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= each["resources"].keys()


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_written_has_a_place_and_a_limit(profile: str) -> None:
    for spec in pod_specs(rendered(profile)).values():
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for each in spec["containers"]:
            mounts = {mount["mountPath"]: mount["name"] for mount in each["volumeMounts"]}
            assert volumes[mounts["/tmp"]]["emptyDir"]["sizeLimit"]
            assert volumes.keys() == set(mounts.values())
        for volume in spec["volumes"]:
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_journal_outlives_a_container_that_a_message_kills(profile: str) -> None:
    """A container starts again in its pod, which keeps name and emptyDir: the journal goes by both."""
    for deployment in workers(rendered(profile)).values():
        worker = container(deployment)
        (mount,) = (m for m in worker["volumeMounts"] if m["name"] == "state")
        assert mount["mountPath"] == environment(worker)["MODSTREAM_STATE_DIR"]
        spec = deployment["spec"]["template"]["spec"]
        assert spec.get("restartPolicy", "Always") == "Always"
        (volume,) = (v for v in spec["volumes"] if v["name"] == "state")
        assert "medium" not in volume["emptyDir"]
        (pod_name,) = (entry for entry in worker["env"] if entry["name"] == "POD_NAME")
        assert pod_name["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_secrets_come_from_secrets(profile: str) -> None:
    secret_names = {entry.env for entry in catalogue().values() if getattr(entry.kind, "cls", None) is Secret}
    assert "MODSTREAM_KAFKA__SECURITY__PASSWORD" in secret_names
    assert "Secret" not in {manifest["kind"] for manifest in rendered(profile)}
    for spec in pod_specs(rendered(profile)).values():
        for each in spec["containers"]:
            for entry in each["env"]:
                if entry["name"] in secret_names:
                    assert "value" not in entry
                    assert entry["valueFrom"]["secretKeyRef"]["name"].startswith("modstream-")


def test_workers_know_user_password_and_authority() -> None:
    for deployment in workers(rendered("cpu")).values():
        worker = container(deployment)
        refs = {
            e["name"]: e["valueFrom"]["secretKeyRef"] for e in worker["env"] if "secretKeyRef" in e.get("valueFrom", {})
        }
        assert refs == {
            "MODSTREAM_KAFKA__SECURITY__USERNAME": {"name": "modstream-kafka", "key": "username"},
            "MODSTREAM_KAFKA__SECURITY__PASSWORD": {"name": "modstream-kafka", "key": "password"},
        }
        variables = environment(worker)
        assert variables["MODSTREAM_KAFKA__SECURITY__PROTOCOL"] == "sasl_ssl"
        assert variables["MODSTREAM_KAFKA__SECURITY__SASL_MECHANISM"] == "SCRAM-SHA-512"
        (mount,) = (m for m in worker["volumeMounts"] if m["name"] == "kafka-tls")
        assert variables["MODSTREAM_KAFKA__SECURITY__CA_FILE"] == f"{mount['mountPath']}/ca.crt"


def test_each_role_may_be_a_kafka_user_of_its_own() -> None:
    """As `modstream topics access` prints them for clusters with ACLs."""
    segments = [
        {"name": "judge", "stages": ["pack", "encode", "fuse"], "kafkaUser": "judge-user"},
        {"name": "rest", "stages": ["ingest", "fetch", "ocr", "asr", "retry"]},
    ]
    roles = {role: {"kafkaUser": f"{role}-user"} for role in ("topics", "console", "insights", "canary")}
    canary = {"canary": {**roles["canary"], "policy": "/x.yaml"}}
    manifests = render("cpu", {**roles, **canary, "segments": segments})
    users = {
        name.partition("/mod-modstream-")[2]: entry["valueFrom"]["secretKeyRef"]["name"]
        for name, spec in pod_specs(manifests).items()
        for entry in spec["containers"][0]["env"]
        if entry["name"] == "MODSTREAM_KAFKA__SECURITY__PASSWORD"
    }
    own = {role: f"{role}-user" for role in (*roles, "judge")}
    assert users == {**own, "rest": "modstream-kafka", "sweep": "modstream-kafka"}


def test_the_store_s_credentials_reach_pods_with_media_only() -> None:
    for name, deployment in workers(rendered("cpu")).items():
        given = [source["secretRef"]["name"] for source in container(deployment).get("envFrom", [])]
        assert given == ([] if name == "intake" else ["modstream-store"])


def policies_for(manifests: tuple[Manifest, ...], labels: dict[str, str]) -> list[dict[str, Any]]:
    return [
        m["spec"]
        for m in manifests
        if m["kind"] == "NetworkPolicy" and m["spec"]["podSelector"].get("matchLabels", {}).items() <= labels.items()
    ]


def may_reach(manifests: tuple[Manifest, ...], labels: dict[str, str], address: str, port: int) -> bool:
    """Whether a pod with these labels may open a connection to an address outside the cluster, as policies add up."""
    ip = ipaddress.ip_address(address)
    for spec in policies_for(manifests, labels):
        for rule in spec.get("egress", []):
            if not any(entry["port"] == port and entry["protocol"] == "TCP" for entry in rule["ports"]):
                continue
            for block in (peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer):
                if ip in ipaddress.ip_network(block["cidr"]) and not any(
                    ip in ipaddress.ip_network(out) for out in block.get("except", [])
                ):
                    return True
    return False


def labels_of(manifests: tuple[Manifest, ...], segment: str) -> dict[str, str]:
    labels: dict[str, str] = workers(manifests)[segment]["spec"]["template"]["metadata"]["labels"]
    return labels


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_every_pod_is_denied_what_no_policy_allows(profile: str) -> None:
    manifests = rendered(profile)
    deny = of_kind(manifests, "NetworkPolicy")["deny"]["spec"]
    assert sorted(deny["policyTypes"]) == ["Egress", "Ingress"]
    assert not {"ingress", "egress"} & deny.keys()
    pods = [m["spec"]["template"] for m in manifests if m["kind"] in {"Deployment", "Job"}]
    pods += [m["spec"]["jobTemplate"]["spec"]["template"] for m in manifests if m["kind"] == "CronJob"]
    for pod in pods:
        assert deny["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_only_the_segment_that_fetches_reaches_the_internet_at_large() -> None:
    manifests = rendered("cpu")
    # Port 80 tells the two apart: a store in a cloud is on 443.
    reaching = {
        name for name in workers(manifests) if may_reach(manifests, labels_of(manifests, name), "93.184.216.34", 80)
    }
    assert reaching == {"fetch"}
    assert not may_reach(manifests, labels_of(manifests, "intake"), "93.184.216.34", 443)


@pytest.mark.parametrize("port", [80, 443])
@pytest.mark.parametrize("address", [*PRIVATE, *METADATA])
def test_nobody_reaches_private_networks_or_metadata(address: str, port: int) -> None:
    manifests = rendered("cpu")
    assert not any(may_reach(manifests, labels_of(manifests, name), address, port) for name in workers(manifests))


def test_more_networks_may_be_kept_from_fetching_and_a_private_cdn_allowed() -> None:
    values = {
        "networkPolicies": {"fetch": {"except": ["203.0.113.0/24", "2001:db8::/32"]}},
        "settings": {"media.allowed_networks": ["10.20.0.0/16"]},
    }
    manifests = tuple(render("cpu", values))
    labels = labels_of(manifests, "fetch")
    assert may_reach(manifests, labels, "93.184.216.34", 80)
    assert not may_reach(manifests, labels, "203.0.113.9", 80)
    assert not may_reach(manifests, labels, "2001:db8::9", 80)
    assert may_reach(manifests, labels, "10.20.0.9", 80)
    assert not may_reach(manifests, labels, "10.21.0.9", 80)


def test_kafka_names_and_traces_are_reached_by_all() -> None:
    common = of_kind(rendered("cpu"), "NetworkPolicy")["common"]["spec"]
    ports = [[(entry["protocol"], entry["port"]) for entry in rule["ports"]] for rule in common["egress"]]
    assert ports == [[("UDP", 53), ("TCP", 53)], [("TCP", 9093)], [("TCP", 4318)]]
    assert all(rule["to"] for rule in common["egress"])


def test_an_empty_list_of_senders_admits_nobody() -> None:
    """To Kubernetes an empty `from` is everybody."""
    manifests = render("cpu", {"networkPolicies": {"scrape": {"from": []}, "console": {"from": []}}})
    for name in ("scrape", "console"):
        rules = of_kind(manifests, "NetworkPolicy")[name]["spec"].get("ingress") or []
        assert all(rule["from"] and all(peer for peer in rule["from"]) for rule in rules), json.dumps(rules)
