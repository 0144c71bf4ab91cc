"""Whether a cluster would take a manifest: Kubernetes' own schemas, and those of the custom resources' projects."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml

from tests.infra.chart import KUBERNETES, Manifest

CUSTOM = Path(__file__).resolve().parents[1] / "fixtures" / "kubernetes"


def faults(manifest: Manifest) -> list[str]:
    """What the schema of the manifest's kind says against it; an unknown field is a fault too."""
    group = manifest["apiVersion"].partition("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return _against(_custom()[manifest["apiVersion"], manifest["kind"]], manifest)
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is in the extra `infra`")
    try:
        validate.validate(manifest, KUBERNETES, strict=True)
    except validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    return []


def _against(schema: dict[str, Any], manifest: Manifest) -> list[str]:
    errors = jsonschema.Draft202012Validator(schema).iter_errors(manifest)  # pyright: ignore[reportUnknownMemberType]
    return [f"{error.json_path}: {error.message}" for error in errors]


@cache
def _custom() -> dict[tuple[str, str], dict[str, Any]]:
    """The schemas by (apiVersion, kind)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(CUSTOM.glob("*.yaml")):
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]
        for version in spec["versions"]:
            schema = _strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _strict(schema: Any) -> Any:
    """Fields that no property names are refused, as an API server with strict field validation does."""
    if isinstance(schema, list):
        return [_strict(entry) for entry in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in cast("dict[str, Any]", schema).items()}
    if strict.get("x-kubernetes-int-or-string"):
        strict.pop("type", None)
    open_ended = "additionalProperties" in strict or strict.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(strict.get("properties"), dict) and strict.get("type") == "object" and not open_ended:
        strict["additionalProperties"] = False
    return strict
