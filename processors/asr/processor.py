"""Stage `asr`: what is said in the sounds of a batch of posts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.asr.chunks import WINDOW_S
from processors.asr.listener import Heard, Language, Listener, Request, SoundInput
from processors.asr.modality import SPEECH, speech_modality
from processors.asr.options import AsrOptions
from processors.asr.phantom import read_phantoms
from processors.asr.section import asr_sound
from processors.asr.weights import read_weights
from processors.asr.whisper import Whisper
from processors.contract import BatchPolicy, Outcome, TransientError
from processors.cores import usable_cores
from processors.engines import Device, EngineStatistics
from processors.media.store import MediaMissing, StoreAway
from processors.packs import Pack
from processors.reading_cache import CacheStatistics, ReadingCache
from schemas import AsrSection, Cause, Record, Sound, Stage

CPU_BATCHING = BatchPolicy(max_items=16, max_cost=16, max_wait_s=0.0)
"""A core is as busy with one window as with many; a batch saves the calls around them, and a window in it does not wait
longer than some seconds for the others."""

GPU_BATCHING = BatchPolicy(max_items=64, max_cost=64, max_wait_s=0.01)
"""A GPU decodes 64 windows in about the time of one; 10 ms are less than a window takes alone."""

CPU_WINDOWS, GPU_WINDOWS = 8, 64
"""In one run: what is held at the same time, however long a post is."""


class SoundSource(Protocol):
    def read(self, tenant: str, object: str, /) -> NDArray[np.float32]:  # noqa: A002
        """[samples], -1..1, 16 kHz. Raises `MediaMissing`, `StoreAway`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class OpenSound:
    """One sound of a post, before it is heard: what there is to hear, or what was heard before, or why neither."""

    media_id: str
    sound: Sound
    alone: bool
    """Whether it is the post's only one: beside others it may have to be heard in another's language."""
    input: SoundInput | None = None
    heard: Heard | None = None
    missing: str | None = None

    @property
    def speech_seconds(self) -> float:
        known = self.heard or self.input
        return known.speech_seconds if known is not None else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class OpenPost:
    record: Record
    sounds: tuple[OpenSound, ...]


class AsrProcessor:
    """A record without fetched sounds passes untouched. Safe to call from several threads."""

    stage = Stage.ASR

    def __init__(
        self,
        whisper: Whisper,
        listener: Listener,
        sounds: SoundSource,
        options: AsrOptions,
        *,
        batching: BatchPolicy | None = None,
    ) -> None:
        """`whisper`: what the listener asks, for metrics. `batching`: by default for a CPU."""
        self.batching = batching or CPU_BATCHING
        self._whisper = whisper
        self._listener = listener
        self._sounds = sounds
        self._cache: ReadingCache[Heard] = ReadingCache(options.cache_sounds)

    @classmethod
    def of(
        cls,
        pack: Pack,
        sounds: SoundSource,
        *,
        options: AsrOptions | None = None,
        device: Device = "cpu",
        threads: int | None = None,
        provider_options: Mapping[str, Mapping[str, str]] | None = None,
        batching: BatchPolicy | None = None,
    ) -> AsrProcessor:
        """The stage for a pack, warmed up.

        `threads`: of a call on a CPU, by default the cores that this process may use. `provider_options` are ONNX
        Runtime's, which does not run this model. Raises `PackError` where there is no model or it is not what was
        named, and `EngineError` where it does not run on the device.
        """
        options = options or AsrOptions()
        whisper = Whisper(
            read_weights(pack, options.model),
            device=device,
            compute_type=options.compute_type,
            threads=threads or usable_cores(),
            windows_s=_windows_s(pack, options),
        )
        listener = Listener(
            whisper,
            read_phantoms(pack),
            check=options.hallucination_check,
            windows=CPU_WINDOWS if device == "cpu" else GPU_WINDOWS,
        )
        listener.warm_up()
        return cls(
            whisper, listener, sounds, options, batching=batching or (CPU_BATCHING if device == "cpu" else GPU_BATCHING)
        )

    def engines(self) -> dict[str, tuple[str, EngineStatistics]]:
        """Half of the model -> the device and type of numbers, and what it has done since the start."""
        return {half: (self._whisper.engine, ran) for half, ran in self._whisper.statistics.items()}

    @property
    def cache_statistics(self) -> CacheStatistics:
        """Sounds looked up in the memory of earlier ones."""
        return self._cache.statistics

    def cost(self, record: Record, /) -> int:
        """Windows of 30 s."""
        return sum(max(1, math.ceil(sound.seconds / WINDOW_S)) for _, sound in record.sounds)

    def prepare(self, record: Record, /) -> OpenPost:
        """The post with its sounds' features. Raises `TransientError` where the store is away."""
        tenant = record.post.tenant
        alone = len(record.sounds) == 1
        return OpenPost(record, tuple(self._open(tenant, media, sound, alone) for media, sound in record.sounds))

    def process(self, batch: Sequence[OpenPost], /) -> Sequence[Outcome]:
        """Raises `EngineError` where the model fails, for the whole batch."""
        leads = [(post, lead) for post in batch if (lead := _leading(post)) is not None]
        heard = self._hear([(lead, None) for _, lead in leads])
        others = [
            (opened, heard[_key(lead.sound, None)].pinned)
            for post, lead in leads
            for opened in post.sounds
            if opened is not lead and opened.missing is None
        ]
        if others:
            heard |= self._hear(others)
        return [self._with_section(post, heard) for post in batch]

    def _open(self, tenant: str, media_id: str, sound: Sound, alone: bool) -> OpenSound:
        if alone and (heard := self._cache.get(_key(sound, None))) is not None:
            return OpenSound(media_id, sound, alone, heard=heard)
        try:
            samples = self._sounds.read(tenant, sound.object)
        except MediaMissing as error:
            return OpenSound(media_id, sound, alone, missing=f"{media_id}: the sound cannot be read: {error}")
        except StoreAway as error:
            raise TransientError(Cause.TRANSIENT, f"the media store cannot be read now: {error}", "fetch") from error
        return OpenSound(media_id, sound, alone, input=self._listener.prepare(samples))

    def _hear(self, asked: Sequence[tuple[OpenSound, Language | None]]) -> dict[str, Heard]:
        """By key: the same sound twice in a batch is heard once."""
        known: dict[str, Heard] = {}
        requests: dict[str, Request] = {}
        for opened, language in asked:
            key = _key(opened.sound, language)
            if opened.heard is not None:
                known[key] = opened.heard
            elif opened.input is not None and key not in known and key not in requests:
                # Of a post's only sound, `prepare` has asked before.
                remembered = None if opened.alone else self._cache.get(key)
                if remembered is not None:
                    known[key] = remembered
                else:
                    requests[key] = Request(opened.input, language)
        new = {key: request for key, request in requests.items() if key not in known}
        for key, heard in zip(new, self._listener.hear(list(new.values())), strict=True):
            known[key] = heard
            self._cache.put(key, heard)
        return known

    def _with_section(self, post: OpenPost, heard: Mapping[str, Heard]) -> Record:
        if not post.sounds:
            return post.record
        lead = _leading(post)
        language = heard[_key(lead.sound, None)].pinned if lead is not None else None
        sounds = tuple(
            asr_sound(opened.media_id, opened.sound, heard[_key(opened.sound, None if opened is lead else language)])
            for opened in post.sounds
            if opened.missing is None
        )
        section = AsrSection(
            sounds=sounds,
            lang=language[0] if language is not None else None,
            lang_confidence=round(language[1], 4) if language is not None else 0.0,
            engine=self._whisper.engine,
        )
        missing = [opened.missing for opened in post.sounds if opened.missing is not None]
        modality = speech_modality(sounds, missing, post.record.modalities.get(SPEECH))
        return replace(post.record, asr=section, modalities={**post.record.modalities, SPEECH: modality})


def _leading(post: OpenPost) -> OpenSound | None:
    """The sound with most speech, the first of equals: all of a post are heard in its language."""
    readable = [opened for opened in post.sounds if opened.missing is None]
    return max(readable, key=lambda opened: opened.speech_seconds, default=None)


def _key(sound: Sound, language: Language | None) -> str:
    return sound.object if language is None else f"{sound.object} {language[0]}"


def _windows_s(pack: Pack, options: AsrOptions) -> tuple[int, ...]:
    """Another model than the pack's hears what Whisper was trained with."""
    part = pack.manifest.asr
    return part.windows_s if part is not None and options.model is None else (WINDOW_S,)
