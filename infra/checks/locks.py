"""Whether requirements/*.lock hold what pyproject.toml asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.checks.outcome import ROOT

LOCKS = {
    "bench": ("local", "otlp", "insights", "dev", "docs", "infra", "bench"),
    "dev": ("local", "otlp", "insights", "dev"),
    "docs": ("local", "otlp", "insights", "dev", "docs"),
    "infra": ("local", "otlp", "insights", "dev", "infra"),
    "local": ("local", "insights"),
    "runtime": ("otlp", "insights"),
    "gpu": ("otlp", "insights", "gpu"),
    "train": ("train",),
}
"""The extras that each lock file holds beside the runtime."""


def lock_faults(project: dict[str, Any]) -> Iterator[str]:
    """Where a lock does not fit `[project]` of pyproject.toml: `make lock` writes them anew."""
    extras = project["optional-dependencies"]
    for name, wanted in LOCKS.items():
        lock = ROOT / "requirements" / f"{name}.lock"
        text = lock.read_text()
        pins = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", text, re.MULTILINE))
        if "://" in text:
            yield f"{lock.name} names a host: it must work with any package index"
        if len(re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE)) > text.count(" \\\n    --hash=sha256:"):
            yield f"{lock.name} has an entry without a hash"
        for line in [*project["dependencies"], *(line for extra in wanted for line in extras[extra])]:
            requirement = Requirement(line)
            pin = pins.get(canonicalize_name(requirement.name))
            replaced = name == "gpu" and requirement.name == "onnxruntime"
            if not replaced and (pin is None or pin not in requirement.specifier):
                yield f"{lock.name} has {requirement.name} {pin or 'not at all'}, pyproject.toml wants {line}"
