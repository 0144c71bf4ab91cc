"""`modstream pack check`, hearing: the model loads, and hears a sound the same whatever is beside it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from processors.asr.chunks import RATE
from processors.asr.listener import Listener, Request
from processors.asr.phantom import read_phantoms
from processors.asr.weights import read_weights
from processors.asr.whisper import Whisper
from processors.engines import EngineError
from processors.packs import Pack, PackError

CHECK_THREADS = 2
SECONDS = 3
PITCHES_HZ = (110, 170, 230)
SYLLABLES_A_SECOND = 4
LANGUAGE = "en"

MAX_MOVE = 1e-4
"""How far a mean log-probability may move with its neighbours; int8 moves by nothing."""


def check_hearing(pack: Pack) -> Iterator[tuple[str | None, str]]:
    """(field of the manifest, or None for the model as a whole; problem), where the pack hears at all."""
    part = pack.manifest.asr
    if part is None:
        return
    try:
        whisper = Whisper(read_weights(pack, None), device="cpu", threads=CHECK_THREADS, windows_s=part.windows_s)
        phantoms = read_phantoms(pack)
        if unknown := sorted(set(phantoms) - set(whisper.languages)):
            yield "asr.phantoms", f"{', '.join(unknown)}: expected languages of the model alone"
        listener = Listener(whisper, phantoms, check="suspicious", windows=len(PITCHES_HZ))
        silence = listener.prepare(np.zeros(SECONDS * RATE, np.float32))
        if listener.hear([Request(silence)])[0].segments:
            yield "asr.weights", "hears words in silence"
        yield from _neighbours(whisper)
    except PackError as error:
        yield error.field, error.reason
    except EngineError as error:
        yield "asr.weights", str(error)


def _neighbours(whisper: Whisper) -> Iterator[tuple[str | None, str]]:
    mels = [whisper.mel(_babble(pitch)) for pitch in PITCHES_HZ]
    together = whisper.decode(whisper.encode(mels), [LANGUAGE] * len(mels))
    for mel, beside in zip(mels, together, strict=True):
        (alone,) = whisper.decode(whisper.encode([mel]), [LANGUAGE])
        if alone.tokens != beside.tokens or abs(alone.mean_logprob - beside.mean_logprob) > MAX_MOVE:
            yield "asr.weights", "hears a sound otherwise with other sounds beside it"


def _babble(pitch: int) -> NDArray[np.float32]:
    """A buzz with the rhythm of syllables: whatever it is heard as, it must be heard so again."""
    time: NDArray[np.float64] = np.arange(SECONDS * RATE) / RATE
    buzz = 2 * (time * pitch % 1) - 1
    return (0.2 * buzz * np.sin(np.pi * SYLLABLES_A_SECOND * time) ** 2).astype(np.float32)
