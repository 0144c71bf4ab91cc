"""What is wrong with the compose file, as far as reading it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.checks.images import is_pinned

OURS = "modstream"
"""What our own image's repository is called."""


def compose_faults(path: Path) -> Iterator[str]:
    """A sentence each."""
    try:
        content = yaml.safe_load(path.read_text())
        services: dict[str, dict[str, Any]] = content["services"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        yield f"not a compose file: {error}"
        return
    for name, service in services.items():
        if "build" not in service and not is_pinned(service.get("image", "")):
            yield f"service {name}: image {service.get('image')!r} is not pinned by a tag"
        for other in service.get("depends_on", ()):
            if other not in services:
                yield f"service {name} depends on {other}, which does not exist"
        for port in service.get("ports", ()):
            if not str(port).startswith("127.0.0.1:"):
                yield f"service {name}: port {port} is open to other machines, and nothing here has a password"
        yield from (f"service {name}: {fault}" for fault in _mount_faults(service, path, content.get("volumes") or {}))
        if service.get("image", "").rpartition(":")[0] == OURS:
            yield from (f"service {name}: {fault}" for fault in _hardening_faults(service))


def _mount_faults(service: Mapping[str, Any], path: Path, volumes: Mapping[str, Any]) -> Iterator[str]:
    for mount in service.get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            if not (path.parent / source).exists():
                yield f"mounts {source}, which does not exist"
        elif source not in volumes:
            yield f"mounts the volume {source}, which is not declared"


def _hardening_faults(service: Mapping[str, Any]) -> Iterator[str]:
    if service.get("read_only") is not True:
        yield "its root can be written (read_only: true)"
    if service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "it keeps privileges (cap_drop: [ALL], security_opt: [no-new-privileges:true])"
    if not any(str(mount).startswith("/tmp") for mount in service.get("tmpfs", ())):  # noqa: S108
        yield "it has no tmpfs at /tmp"
