"""What the figures were measured on, and whether it was idle."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from processors.cores import usable_cores

LIBRARIES = (
    "modstream",
    "av",
    "confluent-kafka",
    "ctranslate2",
    "faster-whisper",
    "faust-streaming",
    "aiokafka",
    "msgspec",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
)

LOOK_S = 1.0
"""How long the machine's business is looked at before anything of ours runs."""

BUSY_PERCENT = 10.0
"""Above it, others take what is measured here."""


def describe() -> dict[str, Any]:
    """Takes a second: `busy_percent` is what all cores did meanwhile, before anything of ours was started."""
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := installed(name)) is not None},
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "busy_percent": psutil.cpu_percent(LOOK_S),
    }


def business(machine: dict[str, Any]) -> str | None:
    """A warning where others were at work; None on a machine that was idle."""
    if machine["busy_percent"] <= BUSY_PERCENT:
        return None
    return (
        f"The machine was {machine['busy_percent']:.0f}% busy before the benchmark began"
        f" (load average {machine['load_average'][0]}): these figures say little."
    )


def slug(machine: dict[str, Any]) -> str:
    """The machine in a file's name, as in `intel-xeon-2-cores`."""
    words = re.sub(r"\(r\)|\(tm\)|\bcpu\b|\bprocessor\b|@.*", " ", machine["cpu"].lower())
    name = "-".join(re.findall(r"[a-z0-9]+", words)[:4]) or "unknown"
    return f"{name}-{machine['cores']}-cores"


def installed(distribution: str) -> str | None:
    """Its version; None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def cpu_model() -> str:
    """The processor's name, as the system knows it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        if found is not None:
            return found[1].strip()
    return platform.processor() or platform.machine()
