"""faster-whisper as it is used: `python -m benchmarks.subjects.faster_whisper_reader WAY BEAM`.

WAY is `single` (`WhisperModel.transcribe`, with its filter for voice activity) or `batched` (its
`BatchedInferencePipeline`, whose filter is always on). The weights, their type and the threads are those of the stage,
by its settings in the environment; all else is left at faster-whisper's defaults. Input and output are those of
`media_stage`; faster-whisper decodes the files itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from faster_whisper import BatchedInferencePipeline, WhisperModel

from processors.asr.weights import read_weights
from processors.asr.whisper import COMPUTE_TYPES
from processors.cores import usable_cores
from processors.packs import load_pack
from streams.settings import load_settings

WAYS = ("single", "batched")


def hears(way: str, beam: int) -> Callable[[str], list[str]]:
    """A file's path -> what is heard in it."""
    settings = load_settings(None, os.environ, {}).settings
    whisper = WhisperModel(
        "weights",
        device="cpu",
        compute_type=COMPUTE_TYPES["cpu"] if settings.asr.compute_type == "auto" else settings.asr.compute_type,
        cpu_threads=settings.worker.cpu_threads or usable_cores(),
        files=read_weights(load_pack(settings.pack), settings.asr.model),
    )
    pipeline = whisper if way == "single" else BatchedInferencePipeline(whisper)

    def hear(path: str) -> list[str]:
        segments, _ = pipeline.transcribe(path, beam_size=beam, vad_filter=True)
        return [segment.text for segment in segments]

    return hear


def main(way: str, beam: int) -> None:
    hear = hears(way, beam)
    print("ready", flush=True)
    for question in sys.stdin:
        files = json.loads(question)
        began, cpu_before = time.perf_counter(), time.process_time()
        found = [hear(name) for name in files]
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_before
        print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "lines": found}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in WAYS:
        sys.exit(f"expected one of {', '.join(WAYS)}, and a beam")
    main(sys.argv[1], int(sys.argv[2]))
