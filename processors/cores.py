"""How much of the machine this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Cores that this process may use, which containers and CPU masks make fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
