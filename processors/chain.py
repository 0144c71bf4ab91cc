"""The chain without Kafka: its processors, and the bare loop that runs lists of records through them.

`modstream score`, notebooks and the efficiency benchmark use this loop; the worker runs the same processors.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from processors.contract import (
    AnyProcessor,
    AsyncProcessor,
    Handle,
    Outcome,
    ProcessingError,
    Processor,
    is_async,
)
from processors.encode import EncodeProcessor
from processors.engines import Device
from processors.fuse import EvidenceLimits, FuseProcessor
from processors.fuse.processor import Clock, system_clock
from processors.ingest.processor import MAX_TEXT_CHARS, IngestProcessor
from processors.isolation import attempt, run_batch, timed
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from processors.policy import Policy
from schemas import Record, Stage

Processors = tuple[AnyProcessor, ...]

TEXT_STAGES = (Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE)


def build_chain(
    pack: Pack,
    policy: Policy,
    *,
    code: str,
    device: Device = "cpu",
    threads: int | None = None,
    provider_options: Mapping[str, Mapping[str, str]] | None = None,
    max_text_chars: int = MAX_TEXT_CHARS,
    max_windows: int | None = None,
    evidence: EvidenceLimits | None = None,
    clock: Clock = system_clock,
    stages: Collection[Stage] = TEXT_STAGES,
) -> Processors:
    """The stages of the text path, in order: those in `stages`, for a worker of some needs no engine for the others.

    `code`: the version that decisions name. `threads`: of the engine on a CPU, by default all cores of this process.
    Raises `PackError` and `EngineError` (`processors.packs`, `processors.engines`) before anything runs.
    """
    makers: dict[Stage, Callable[[], Processor[Any]]] = {
        Stage.INGEST: lambda: IngestProcessor(max_text_chars),
        Stage.PACK: lambda: PackProcessor(pack, max_windows=max_windows),
        Stage.ENCODE: lambda: EncodeProcessor.of(
            pack, device=device, threads=threads, provider_options=provider_options
        ),
        Stage.FUSE: lambda: FuseProcessor(pack, policy, code=code, limits=evidence, clock=clock),
    }
    return tuple(make() for stage, make in makers.items() if stage in stages)


def run_chain(processors: Sequence[AnyProcessor], records: Sequence[Record]) -> list[Outcome]:
    """Every record through the stages of its route: one outcome per record, in order.

    Each stage takes its batches in input order, as its `BatchPolicy` allows; nothing waits. A record that fails leaves
    the chain with its error, the others go on.
    """
    outcomes: list[Outcome] = list(records)
    for processor in processors:
        waiting = [
            (at, outcome)
            for at, outcome in enumerate(outcomes)
            if not isinstance(outcome, ProcessingError) and processor.stage in outcome.route
        ]
        if not waiting:
            continue
        if is_async(processor):
            results = _run_async(processor, [record for _, record in waiting])
        else:
            results = [
                result
                for batch in _batches(processor, [record for _, record in waiting])
                for result in _run_batch(processor, batch)
            ]
        for (at, _), result in zip(waiting, results, strict=True):
            outcomes[at] = result
    return outcomes


def _run_batch(processor: Processor[Any], batch: Sequence[Record]) -> list[Outcome]:
    """A stage's time is that of the batch that a record was in."""
    began_s = time.perf_counter()
    results = run_batch(processor, batch)
    took_ms = round((time.perf_counter() - began_s) * 1000, 3)
    return [_timed(result, processor.stage, took_ms) for result in results]


def _timed(outcome: Outcome, stage: Stage, took_ms: float) -> Outcome:
    return outcome if isinstance(outcome, ProcessingError) else timed(outcome, stage, took_ms)


def _run_async(processor: AsyncProcessor, records: Sequence[Record]) -> list[Outcome]:
    """In a thread of its own: the caller may have an event loop running, as notebooks do."""
    with ThreadPoolExecutor(1, f"stage-{processor.stage}") as thread:
        return thread.submit(asyncio.run, _attempt_all(processor, records)).result()


async def _attempt_all(processor: AsyncProcessor, records: Sequence[Record]) -> list[Outcome]:
    room = asyncio.Semaphore(processor.concurrency)

    async def one(handle: Handle, record: Record) -> Outcome:
        async with room:
            began_s = time.perf_counter()
            outcome, _ = await attempt(handle, record)
        return _timed(outcome, processor.stage, round((time.perf_counter() - began_s) * 1000, 3))

    async with processor.session() as handle:
        return await asyncio.gather(*(one(handle, record) for record in records))


def _batches(processor: Processor[Any], records: Sequence[Record]) -> Iterator[list[Record]]:
    policy = processor.batching
    batch: list[Record] = []
    total = 0
    for record in records:
        cost = processor.cost(record)
        if batch and (len(batch) == policy.max_items or total + cost > policy.max_cost):
            yield batch
            batch, total = [], 0
        batch.append(record)
        total += cost
    if batch:
        yield batch
