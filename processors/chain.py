"""The chain without Kafka: its processors, and the bare loop that runs lists of records through them.

`modstream score`, notebooks and the efficiency benchmark use this loop; the worker runs the same processors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from processors.contract import BatchPolicy, Outcome, ProcessingError, Processor
from processors.encode import EncodeProcessor
from processors.engines import Device
from processors.fuse import EvidenceLimits, FuseProcessor
from processors.fuse.processor import Clock, system_clock
from processors.ingest.processor import MAX_TEXT_CHARS, IngestProcessor
from processors.isolation import run_batch
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from processors.policy import Policy
from schemas import Record, Stage

Processors = tuple[Processor[Any], ...]

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


def run_chain(processors: Sequence[Processor[Any]], records: Sequence[Record]) -> list[Outcome]:
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
        for batch in _batches(processor, waiting):
            started = time.perf_counter()
            results = run_batch(processor, [record for _, record in batch])
            took_ms = round((time.perf_counter() - started) * 1000, 3)
            for (at, _), result in zip(batch, results, strict=True):
                outcomes[at] = (
                    result if isinstance(result, ProcessingError) else _timed(result, processor.stage, took_ms)
                )
    return outcomes


def _batches(processor: Processor[Any], waiting: Sequence[tuple[int, Record]]) -> Iterator[list[tuple[int, Record]]]:
    policy: BatchPolicy = processor.batching
    batch: list[tuple[int, Record]] = []
    total = 0
    for at, record in waiting:
        cost = processor.cost(record)
        if batch and (len(batch) == policy.max_items or total + cost > policy.max_cost):
            yield batch
            batch, total = [], 0
        batch.append((at, record))
        total += cost
    if batch:
        yield batch


def _timed(record: Record, stage: Stage, took_ms: float) -> Record:
    """A stage's time is that of the batch that the record was in."""
    return replace(record, timings_ms={**record.timings_ms, stage.value: took_ms})
