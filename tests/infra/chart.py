"""The Helm chart rendered by the real helm, as the manifests that a cluster would get."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "infra" / "helm" / "modstream"
PROFILES = ("laptop", "cpu", "gpu")
KUBERNETES = "1.34"
"""The Kubernetes that manifests are made for and checked against."""

RELEASE, NAMESPACE = "mod", "moderation"

Manifest = dict[str, Any]


def values_file(profile: str) -> Path:
    return CHART / f"values-{profile}.yaml"


@cache
def helm() -> str:
    """The helm that `make test-infra` installed, else the one on the path; skips the test where there is none."""
    found = shutil.which("helm", path=str(ROOT / "build" / "bin")) or shutil.which("helm")
    if found is None:
        pytest.skip("helm is not installed: `make test-infra` installs it where Go is")
    return found


def attempt(profile: str | None, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """`helm template` of a profile, with further values over it."""
    command = [helm(), "template", RELEASE, str(CHART), "--namespace", NAMESPACE, "--kube-version", KUBERNETES]
    if profile is not None:
        command += ["--values", str(values_file(profile))]
    if values is not None:
        command += ["--values", "-"]
    given = yaml.safe_dump(dict(values)) if values is not None else None
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)


def render(profile: str | None, values: Mapping[str, Any] | None = None) -> list[Manifest]:
    """The manifests; fails with helm's own words where there are none."""
    done = attempt(profile, values)
    assert done.returncode == 0, done.stderr
    return [cast("Manifest", manifest) for manifest in yaml.safe_load_all(done.stdout) if manifest]


@cache
def rendered(profile: str) -> tuple[Manifest, ...]:
    """A profile as it is; not to be changed, since tests share it."""
    return tuple(render(profile))


def refusal(profile: str | None, values: Mapping[str, Any]) -> str:
    """What helm says to values that it must refuse."""
    done = attempt(profile, values)
    assert done.returncode != 0, "these values were rendered"
    assert done.stdout == ""
    return done.stderr


def of_kind(manifests: Sequence[Manifest], kind: str) -> dict[str, Manifest]:
    """Those of a kind by name, without the release's own."""
    prefix = f"{RELEASE}-modstream-"
    return {m["metadata"]["name"].removeprefix(prefix): m for m in manifests if m["kind"] == kind}


def workers(manifests: Sequence[Manifest]) -> dict[str, Manifest]:
    """The Deployments of the segments, by segment."""
    found = of_kind(manifests, "Deployment")
    return {name: m for name, m in found.items() if m["metadata"]["labels"]["app.kubernetes.io/component"] == "worker"}


def pod_specs(manifests: Sequence[Manifest]) -> dict[str, Manifest]:
    """The spec of every pod that these manifests make, by kind and name."""
    found: dict[str, Manifest] = {}
    for manifest in manifests:
        spec = manifest.get("spec", {})
        if manifest["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if manifest["kind"] in {"Deployment", "Job", "CronJob"}:
            found[f"{manifest['kind']}/{manifest['metadata']['name']}"] = spec["template"]["spec"]
    return found


def container(deployment: Manifest) -> Manifest:
    """The one container of a Deployment."""
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return cast("Manifest", only)


def environment(of: Manifest) -> dict[str, str]:
    """The variables of a container that have values in the manifest."""
    return {entry["name"]: entry["value"] for entry in of["env"] if "value" in entry}
