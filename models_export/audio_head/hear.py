"""Clips heard as the stage `asr` hears them, and what its encoder says of what was said.

What was heard of a clip is kept in a file of its own, named by the sound's bytes, so that a long run can be stopped.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models_export.audio_head.clips import Clip
from models_export.audio_head.features import Spoken, States, spoken
from models_export.evaluation.asr_suite.baseline import samples_of
from processors.asr.activity import Samples
from processors.asr.listener import Heard, Listener, Request, SoundInput
from processors.asr.phantom import read_phantoms
from processors.asr.processor import CPU_WINDOWS
from processors.asr.weights import read_weights
from processors.asr.whisper import Mel, Whisper
from processors.asr.whisper import States as Encoded
from processors.cores import usable_cores
from processors.packs import Pack, load_pack

KEPT = "heard"
NAME_DIGITS = 12
"""Of the weights' sum: enough to tell one recogniser's features from another's."""


class Overheard(Whisper):
    """Keeps what the encoder made of the windows that it was given, until it is forgotten."""

    def __init__(self, *given: Any, **options: Any) -> None:
        """As `Whisper`."""
        super().__init__(*given, **options)
        self.kept: dict[int, States] = {}
        """By the window's `id`."""

    def encode(self, windows: Sequence[Mel]) -> Encoded:
        found = super().encode(windows)
        self.kept.update(zip(map(id, windows), found.astype(np.float32), strict=True))
        return found


class Ear:
    """The recogniser, and the states that it hears by."""

    def __init__(self, pack: Pack, threads: int | None = None) -> None:
        """Raises `PackError` for a pack that cannot hear, and `EngineError` where its model does not load."""
        weights = read_weights(pack, None)
        windows_s = pack.manifest.asr.windows_s if pack.manifest.asr is not None else ()
        self._whisper = Overheard(weights, device="cpu", threads=threads or usable_cores(), windows_s=windows_s)
        self._listener = Listener(self._whisper, read_phantoms(pack), check="suspicious", windows=CPU_WINDOWS)
        lengths = "-".join(map(str, windows_s))
        self.name = f"{hashlib.sha256(weights['model.bin']).hexdigest()[:NAME_DIGITS]}-{lengths}"
        """Of the features: other weights or windows give others."""

    def hear(self, sounds: Sequence[Samples]) -> list[Spoken]:
        """What is said in each, and how. What the recogniser does not trust is left out, as it is in serving."""
        prepared = [self._listener.prepare(sound) for sound in sounds]
        self._whisper.kept.clear()
        heard = self._listener.hear([Request(sound) for sound in prepared])
        return [self._spoken(*one) for one in zip(prepared, heard, strict=True)]

    def _spoken(self, sound: SoundInput, heard: Heard) -> Spoken:
        windows = [(chunk, self._whisper.kept[id(mel)]) for chunk, mel in zip(sound.chunks, sound.mels, strict=True)]
        return spoken(windows, [judged.segment for judged in heard.segments if judged.unsafe is None])


def hear_clips(pack_folder: Path, clips: Sequence[Clip], out: Path, *, threads: int | None = None) -> list[Spoken]:
    """Every clip, heard now or by an earlier call with this folder `out`.

    Raises OSError, `PackError` for a pack that cannot hear, and `EngineError`.
    """
    ear = Ear(load_pack(pack_folder), threads)
    return hear_with(ear, clips, out / KEPT / ear.name)


def hear_with(ear: Ear, clips: Sequence[Clip], kept: Path) -> list[Spoken]:
    """Every clip, by the files in `kept` where they are there."""
    kept.mkdir(parents=True, exist_ok=True)
    files = [kept / f"{hashlib.sha256(clip.path.read_bytes()).hexdigest()}.npz" for clip in clips]
    missing = [at for at, file in enumerate(files) if not file.is_file()]
    for start in range(0, len(missing), CPU_WINDOWS):
        some = missing[start : start + CPU_WINDOWS]
        for at, found in zip(some, ear.hear([samples_of(clips[at].path) for at in some]), strict=True):
            _keep(files[at], found)
        print(f"{len(clips) - len(missing) + start + len(some)} of {len(clips)} clips", file=sys.stderr, flush=True)
    return [_read(file) for file in files]


def _keep(file: Path, found: Spoken) -> None:
    part = file.with_suffix(".part")
    with part.open("wb") as opened:
        np.savez(opened, features=found.features, confidences=found.confidences, text=np.array(found.text))
    part.replace(file)


def _read(file: Path) -> Spoken:
    with np.load(file) as held:
        return Spoken(held["features"], held["confidences"], str(held["text"]))
