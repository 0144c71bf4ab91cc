"""faster-whisper as its users call it: the same weights, file by file, nothing set but the threads.

Its defaults are a beam of 5, sampling at rising temperatures where its gates fail, and no voice activity detection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av.error
import numpy as np
from faster_whisper import WhisperModel, decode_audio

from models_export.evaluation.asr_suite.hearing import CHUNK, Errors, compared
from models_export.evaluation.asr_suite.made import RATE, Samples
from models_export.evaluation.asr_suite.samples import Clip


@dataclass(frozen=True, slots=True)
class Baseline:
    """What it heard in one clip."""

    clip: Clip
    text: str
    errors: Errors | None


def hear_with_faster_whisper(
    weights: Mapping[str, bytes],
    compute_type: str,
    threads: int,
    clips: Sequence[Clip],
    progress: Callable[[int], None],
) -> tuple[list[Baseline], float]:
    """All clips, and the wall time that this took, in seconds. `weights`: name and content of the model's files.

    Where it samples, two runs may differ.
    """
    files = dict(weights)  # it takes out what it has read
    whisper = WhisperModel("weights", device="cpu", compute_type=compute_type, cpu_threads=threads, files=files)
    heard: list[Baseline] = []
    began_s = time.perf_counter()
    for clip in clips:
        text = _text(whisper, clip.path)
        heard.append(Baseline(clip, text, compared(clip, text)))
        if len(heard) % CHUNK == 0 or len(heard) == len(clips):
            progress(len(heard))
    return heard, time.perf_counter() - began_s


def _text(whisper: WhisperModel, path: Path) -> str:
    try:
        segments, _ = whisper.transcribe(str(path))
        return " ".join(segment.text.strip() for segment in segments)
    except (av.error.FFmpegError, IndexError):  # a damaged file, or one without sound: nothing was heard
        return ""


def samples_of(path: Path) -> Samples:
    """A file's sound, mono, at the suite's rate."""
    return np.asarray(decode_audio(str(path), RATE), np.float32)
