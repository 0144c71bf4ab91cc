"""The sweep: references that are older than the retention go, and objects that nobody needs any more."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from processors.media.backend import Backend, StoreAway
from processors.media.layout import (
    GRAVES,
    OBJECTS,
    REFS,
    object_at,
    object_in_grave,
    reference_at_object,
)
from processors.media.references import References

SWEEP_EVERY_S = 3_600.0
"""References are counted in hours: looking more often would find nothing more."""

GRAVE_AGE_S = 3_600.0
"""A grave this old belongs to a process that was killed: a removal takes seconds. In a bucket, settling one whose
object is not wholly moved could remove the object for good."""

DAY_S = 86_400.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed, and only that: what another sweep was faster at is not counted where the store tells."""

    objects: int = 0
    bytes: int = 0
    """Of those objects."""
    references: int = 0

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.objects + other.objects, self.bytes + other.bytes, self.references + other.references)


def shards(backend: Backend) -> list[str]:
    """The parts in which the store is swept, as `<tenant>/<xx>`: as much as fits into memory at once, and into a
    moment."""
    found = {
        "/".join(shard.split("/")[1:])
        for root in (OBJECTS, REFS)
        for tenant in backend.folders(root)
        for shard in backend.folders(tenant)
    }
    return sorted(found)


def sweep_shard(backend: Backend, references: References, shard: str, *, older_than_s: float, now_s: float) -> Swept:
    """Sweep a part of the store.

    Objects are listed before references: one that is being written was referred to before it was there.
    """
    objects = {key: entry.size for entry in backend.list(f"{OBJECTS}/{shard}") if (key := object_at(entry.path))}
    noted = [found for entry in backend.list(f"{REFS}/{shard}") if (found := reference_at_object(entry.path))]
    kept = {reference.object for reference in noted if not reference.expired(older_than_s, now_s)}
    dropped = sum(references.drop(reference) for reference in noted if reference.expired(older_than_s, now_s))
    gone = [size for key, size in objects.items() if key not in kept and references.retire(key)]
    return Swept(objects=len(gone), bytes=sum(gone), references=dropped)


def settle_graves(backend: Backend, references: References, now_s: float) -> Swept:
    """Finish what processes that were killed had begun to remove."""
    swept = Swept()
    for entry in backend.list(GRAVES):
        key = object_in_grave(entry.path)
        if key is not None and entry.modified_s + GRAVE_AGE_S <= now_s and references.settle(key, entry.path):
            swept += Swept(objects=1, bytes=entry.size)
    return swept


class Sweeps(Protocol):
    async def sweep(self, older_than_s: float, now_s: float) -> Swept: ...


async def sweep_hourly(
    store: Sweeps,
    retention_days: float,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.time,
) -> None:
    """Sweep once an hour until cancelled. A store that is away, or that a sweep breaks on, is swept an hour later."""
    while True:
        # Workers that were started together need not sweep together.
        await sleep(SWEEP_EVERY_S * random.uniform(0.5, 1.5))
        try:
            swept = await store.sweep(retention_days * DAY_S, clock())
        except StoreAway as error:
            log.warning("media were not swept: %s", error)
            continue
        except Exception:  # a fault of ours, told in full: media must not stay for ever because of one odd entry
            log.exception("media were not swept, for a fault of ours: the next sweep is in about an hour")
            continue
        log.info(
            "swept media: %d objects (%d bytes) and %d references removed", swept.objects, swept.bytes, swept.references
        )
