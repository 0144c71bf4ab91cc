"""From the settings to the processors of a chain."""

from __future__ import annotations

from collections.abc import Sequence

from processors.asr import AsrOptions
from processors.chain import ChainOptions, MediaParts, Models, Processors, build_chain
from processors.encode import AttributionOptions
from processors.fetch import FetchOptions
from processors.fuse import EvidenceLimits
from processors.media.known import KnownLists
from processors.media.store import MediaStore
from processors.ocr import OcrOptions
from processors.pack.features import FEATURES
from processors.packs import load_pack
from processors.policy import load_policy
from schemas import Stage
from streams.settings import Settings
from streams.topology import STAGES
from streams.worker.outcomes import Versions

WITHOUT_MODELS = frozenset({Stage.INGEST, Stage.FETCH, Stage.RETRY})
"""Stages that need neither pack nor policy: a worker of these starts without them."""

WITH_MEDIA = frozenset({Stage.FETCH, Stage.OCR, Stage.ASR, Stage.ENCODE})
"""Stages that read or write the media store."""


def chain_of(
    settings: Settings,
    code: str,
    stages: Sequence[Stage] = STAGES,
    *,
    one_attempt: bool = False,
    models: Models | None = None,
) -> tuple[Processors, Versions]:
    """The processors of these stages as the settings say, and what they are versions of.

    `one_attempt`: nobody tries again what fails, as without Kafka; media that do not come at once have failed then.
    `models`: where they have been loaded already.
    Raises PackError, PolicyError, EngineError, StoreError, KnownListError and TesseractError.
    """
    models = None if WITHOUT_MODELS.issuperset(stages) else models or models_of(settings)
    media = media_of(settings) if WITH_MEDIA.intersection(stages) else None
    max_attempts = 0 if one_attempt else settings.retry.max_attempts
    processors = build_chain(options_of(settings, code, max_attempts), models, media, stages=stages)
    if models is None:
        return processors, Versions(code, None, None)
    return processors, Versions(code, models.pack.version, models.policy.reference)


def models_of(settings: Settings) -> Models:
    """Raises PackError and PolicyError."""
    pack = load_pack(settings.pack)
    return Models(pack, load_policy(settings.policy, pack.thresholds, FEATURES))


def media_of(settings: Settings) -> MediaParts:
    """Raises StoreError and KnownListError."""
    known = KnownLists(settings.known.lists, pdq_distance=settings.known.pdq_distance)
    return MediaParts(MediaStore.open(settings.store.url), known)


def options_of(settings: Settings, code: str, max_attempts: int) -> ChainOptions:
    """What the settings say about the work of the stages."""
    limits, worker, media, ocr, asr = settings.limits, settings.worker, settings.media, settings.ocr, settings.asr
    return ChainOptions(
        code=code,
        device=worker.device.value,
        threads=worker.cpu_threads,
        engines=worker.engines,
        max_text_chars=limits.max_text_chars,
        max_windows=limits.max_windows,
        fusion=settings.fusion,
        evidence=EvidenceLimits(count=limits.evidence_count, chars=limits.evidence_chars),
        attribution=AttributionOptions(rows=limits.evidence_rows, word_rows=limits.evidence_word_rows),
        fetch=FetchOptions(
            **{name: getattr(media, name) for name in media.__struct_fields__},
            max_attempts=max_attempts,
            retention_days=settings.store.retention_days,
        ),
        ocr=OcrOptions(**{name: getattr(ocr, name) for name in ocr.__struct_fields__}),
        asr=AsrOptions(
            model=asr.model,
            compute_type=asr.compute_type,
            hallucination_check=asr.hallucination_check.value,
            cache_sounds=asr.cache_sounds,
        ),
    )
