"""The chain without Kafka: its processors, and the bare loop that runs lists of records through them.

`modstream score`, notebooks and the efficiency benchmark use this loop; the worker runs the same processors.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from processors.asr import AsrOptions, AsrProcessor
from processors.asr.modality import SPEECH
from processors.contract import (
    AnyProcessor,
    AsyncProcessor,
    Handle,
    Outcome,
    ProcessingError,
    Processor,
    is_async,
)
from processors.encode import AttributionOptions, Attributor, EncodeProcessor
from processors.engines import Device
from processors.fetch import FetchOptions, FetchProcessor
from processors.fuse import EvidenceLimits, FuseProcessor
from processors.fuse.processor import Clock, system_clock
from processors.ingest.processor import MAX_TEXT_CHARS, IngestProcessor
from processors.isolation import attempt, run_batch, timed
from processors.media.known import KnownLists
from processors.media.pictures import PictureReader
from processors.media.sounds import SoundReader
from processors.media.store import MediaStore
from processors.ocr import OcrOptions, OcrProcessor
from processors.ocr.modality import OCR
from processors.pack.language import post_language
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from processors.policy import Policy
from processors.without_model import WithoutModel
from schemas import Record, Stage

Processors = tuple[AnyProcessor, ...]

UNREAD = "the model pack has no graphs that read pictures (ocr), and ocr.models names none"
UNHEARD = "the model pack has no model that hears speech (asr), and asr.model names none"

TEXT_STAGES = (Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE)


@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    """How the stages work, apart from models and policy."""

    code: str
    """The version that decisions name."""
    device: Device = "cpu"
    threads: int | None = None
    """Of each engine on a CPU, by default all cores of this process."""
    provider_options: Mapping[str, Mapping[str, str]] | None = None
    engines: Path | None = None
    """Folder of TensorRT engines of the pack's graphs for text and pictures; see `open_engine`."""
    max_text_chars: int = MAX_TEXT_CHARS
    max_windows: int | None = None
    evidence: EvidenceLimits = field(default_factory=EvidenceLimits)
    fusion: bool = True
    """Whether the pack's fusion judges, where it has one; without it, a label is the highest of its experts' scores."""
    attribution: AttributionOptions = field(default_factory=AttributionOptions)
    clock: Clock = system_clock
    fetch: FetchOptions = field(default_factory=FetchOptions)
    ocr: OcrOptions = field(default_factory=OcrOptions)
    asr: AsrOptions = field(default_factory=AsrOptions)


@dataclass(frozen=True)
class Models:
    """What the stages after `fetch` judge with."""

    pack: Pack
    policy: Policy
    policy_of: Callable[[Record], Policy] | None = None
    """Whose thresholds say where evidence is looked for, where policies differ by post; by default `policy`."""


@dataclass(frozen=True)
class MediaParts:
    """What the stages need for posts with media."""

    store: MediaStore
    known: KnownLists


def build_chain(
    options: ChainOptions,
    models: Models | None = None,
    media: MediaParts | None = None,
    *,
    stages: Collection[Stage] = TEXT_STAGES,
) -> Processors:
    """The stages in `stages`, in the chain's order: a worker of some needs no engine for the others.

    `models` are needed by all but ingest and fetch, `media` by fetch, ocr and asr; without media, encode judges text
    alone.
    Raises ValueError where one is missing, and `PackError`, `EngineError` and `TesseractError` before anything runs.
    """
    pictures = PictureReader(media.store) if media is not None else None
    sounds = SoundReader(media.store) if media is not None else None
    engine = _EngineArguments(device=options.device, threads=options.threads, provider_options=options.provider_options)
    makers: dict[Stage, Callable[[], AnyProcessor]] = {
        Stage.INGEST: lambda: IngestProcessor(options.max_text_chars),
        Stage.FETCH: lambda: FetchProcessor(_given(media).store, _given(media).known, options.fetch),
        Stage.OCR: lambda: _ocr(_given(models).pack, _given(pictures), options, engine),
        Stage.ASR: lambda: _asr(_given(models).pack, _given(sounds), options.asr, engine),
        Stage.PACK: lambda: PackProcessor(
            _given(models).pack, max_windows=options.max_windows, max_text_chars=options.max_text_chars
        ),
        Stage.ENCODE: lambda: EncodeProcessor.of(
            _given(models).pack,
            pictures,
            engines=options.engines,
            attributor=_attributor(_given(models), options.attribution),
            **engine,
        ),
        Stage.FUSE: lambda: FuseProcessor(
            _given(models).pack,
            _given(models).policy,
            code=options.code,
            limits=options.evidence,
            fusion=options.fusion,
            clock=options.clock,
        ),
    }
    return tuple(make() for stage, make in makers.items() if stage in stages)


def _ocr(
    pack: Pack, pictures: PictureReader, options: ChainOptions, engine: _EngineArguments
) -> OcrProcessor | WithoutModel:
    if pack.manifest.ocr is None and options.ocr.models is None:
        return WithoutModel(Stage.OCR, OCR, UNREAD)
    return OcrProcessor.of(pack, pictures, options=options.ocr, engines=options.engines, **engine)


def _asr(pack: Pack, sounds: SoundReader, options: AsrOptions, engine: _EngineArguments) -> AsrProcessor | WithoutModel:
    if pack.manifest.asr is None and options.model is None:
        return WithoutModel(Stage.ASR, SPEECH, UNHEARD)
    return AsrProcessor.of(pack, sounds, options=options, **engine)


def _attributor(models: Models, options: AttributionOptions) -> Attributor | None:
    """It looks into the posts that the policy flags; None where it may cost nothing."""
    if options.rows == 0:
        return None

    def thresholds(record: Record) -> Mapping[str, float]:
        policy = models.policy if models.policy_of is None else models.policy_of(record)
        return policy.effective(record.post.tenant, record.post.region, post_language(record)).thresholds

    return Attributor(models.pack, options, thresholds)


class _EngineArguments(TypedDict):
    device: Device
    threads: int | None
    provider_options: Mapping[str, Mapping[str, str]] | None


T = TypeVar("T")


def _given(part: T | None) -> T:
    if part is None:
        raise ValueError("a stage was asked for without the models or the media parts that it needs")
    return part


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
