"""What one post costs, by its kind: CPU time of each stage, and bytes on topics and in the media store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from schemas import Stage

SCHEMA = "capacity-costs/1"

KINDS = ("text", "image", "audio", "video", "mixed")
"""What a post can be; `mixed` has words, a picture and a sound."""

Amount = Annotated[float, Meta(ge=0)]


class BadCosts(Exception):
    """A file of costs that cannot be used; the message says where and why."""


class KindCost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One post of a kind."""

    cpu_s: dict[Stage, Amount]
    """Seconds of one core, decoding in child processes included. Stages off the kind's route are missing."""
    gpu_s: dict[Stage, Amount] = {}
    """Seconds of one GPU, where a stage runs on it; empty where that was not measured."""
    post_bytes: Amount
    """Of the message that is published, where media are addresses and not in it."""
    record_bytes: Amount
    """Of the record between stages, the largest that it becomes on its way."""
    output_bytes: Amount
    """Of decision, confidence and flags together."""
    media_bytes: Amount
    """In the media store: what was fetched, and the frames and sound made of it."""


class Costs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything measured on one machine."""

    schema: Literal["capacity-costs/1"] = SCHEMA
    machine: str
    kinds: dict[str, KindCost]
    crossing_cpu_s: Amount
    """Of a worker, for taking a message from a topic and handing its outputs to others, committed exactly once."""

    def missing(self) -> list[str]:
        """Kinds without costs."""
        return [kind for kind in KINDS if kind not in self.kinds]


def costs_from(figures: Mapping[str, object]) -> Costs:
    """The costs among a report's figures. Raises `BadCosts`."""
    try:
        costs = msgspec.convert(figures, Costs)
    except msgspec.ValidationError as error:
        raise BadCosts(f"not {SCHEMA}: {error}") from None
    if missing := costs.missing():
        raise BadCosts(f"no costs of {', '.join(missing)}, expected all of {', '.join(KINDS)}")
    return costs


def read_costs(path: Path) -> Costs:
    """From a file of costs, or from what `python -m benchmarks` wrote. Raises `BadCosts` and OSError."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise BadCosts(f"{path}: not JSON: {error}") from None
    if isinstance(found, dict) and "results" in found:
        found = found["results"].get("capacity", {}).get("costs")
    if not isinstance(found, dict):
        raise BadCosts(f"{path}: has no costs, expected {SCHEMA} or the results of the benchmark capacity")
    try:
        return costs_from(found)
    except BadCosts as error:
        raise BadCosts(f"{path}: {error}") from None
