"""Which instance this process is. A stable name only shortens stalls; the consumer group does the fencing."""

from __future__ import annotations

import fcntl
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

MAX_SLOTS = 1024


class IdentityTaken(Exception):
    """Another live process on this host has the instance's name."""


class Instance:
    """A name held by a lock for as long as the process lives."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self._descriptor = descriptor

    def transactional_id(self, group: str) -> str:
        return f"{group}:{self.name}"  # neither may hold a colon, so no two pairs make one id

    def release(self) -> None:
        os.close(self._descriptor)


def claim_instance(configured: str | None, locks: Path, environ: Mapping[str, str] = os.environ) -> Instance:
    """The configured name, else the pod's name, else the host's with the lowest slot that no live process holds.

    Raises `IdentityTaken` when a configured name is in use on this host.
    """
    locks.mkdir(parents=True, exist_ok=True)
    pod = environ.get("POD_NAME") or (environ.get("HOSTNAME") if "KUBERNETES_SERVICE_HOST" in environ else None)
    if name := configured or pod:
        name = _safe(name)
        descriptor = _lock(locks / f"{name}.lock")
        if descriptor is None:
            raise IdentityTaken(
                f"instance {name!r} is in use by another process on this host ({locks}): stop it, or give this worker"
                " another MODSTREAM_INSTANCE"
            )
        return Instance(name, descriptor)
    host = _safe(socket.gethostname())
    for slot in range(MAX_SLOTS):
        name = f"{host}-{slot}"
        if (descriptor := _lock(locks / f"{name}.lock")) is not None:
            return Instance(name, descriptor)
    raise IdentityTaken(f"all {MAX_SLOTS} worker slots of this host are in use ({locks})")


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:200]
