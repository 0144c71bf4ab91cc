"""The ASR stage: `python -m benchmarks.subjects.asr_stage`. See `media_stage`; the files are WAV, as fetch has it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.recording import seconds_of
from benchmarks.subjects.media_stage import MEDIA_ID, answer_questions, md5
from schemas import Record, Stage
from schemas.sections import FetchedMedia, Sound


def fetched(path: Path, data: bytes, name: str) -> FetchedMedia:
    seconds = seconds_of(path)
    return FetchedMedia(
        media_id=MEDIA_ID,
        kind="audio",
        type="audio/wav",
        sha256=name,
        md5=md5(data),
        bytes=len(data),
        seconds=seconds,
        sound=Sound(object=name, seconds=seconds),
    )


def read(record: Record) -> list[str] | None:
    """What it heard, trusted or not: the others do not tell these apart."""
    if record.asr is None or not record.asr.sounds:
        return None
    sound = record.asr.sounds[0]
    heard = sorted((*sound.segments, *sound.unsafe), key=lambda segment: segment.t_start)
    return [segment.text for segment in heard]


if __name__ == "__main__":
    answer_questions(Stage.ASR, fetched, read)
