"""Sounds and short videos for the benchmarks: people who speak, cut from a few recordings, none twice the same.

Nothing may be found in a cache that a real stream of new posts would not find there: every piece begins elsewhere or is
louder or fainter than all others.
"""

from __future__ import annotations

import base64
import io
import json
import random
import wave
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.container.output import OutputContainer
from faster_whisper import decode_audio
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.drawing import draw
from schemas.sections import MediaKind

RATE = 16_000
"""Samples a second."""
SPEECH = Path(__file__).resolve().parents[1] / "examples" / "clips" / "speech.mp3"
SUFFIXES = frozenset({".aac", ".flac", ".m4a", ".mp3", ".mp4", ".ogg", ".opus", ".wav", ".webm"})
MOST_S = 15.0
"""Longer recordings are cut into short ones of at most so many seconds."""
LEAST_S = 1.0
"""A rest that is shorter is left out."""
FAINTER = 10 ** (-1 / 20)
"""A decibel: another sound, and no harder to understand."""
PAUSE_S = 0.5
"""Between the recordings in a long one."""

AUDIO_S, AUDIO_BITS = 10.0, 64_000
VIDEO_S, VIDEO_BITS, VIDEO_SOUND_BITS = 15.0, 70_000, 40_000
"""Seconds and bits a second: a post with either rides within the limit of media in posts."""
VIDEO_SIZE, FRAMES_PER_S = (480, 270), 12
SCENES = 3
PAN = 60
"""Pixels that a scene's picture moves to the side, so that no two frames are the same."""

Samples = NDArray[np.float32]
"""Shape [samples], mono, -1..1, at `RATE`."""


class TooFewSounds(Exception):
    """A folder has no sound that could be used."""


def recordings(source: Path | None) -> list[Samples]:
    """The sounds in a folder, by name; None for the example that comes with the project. Raises `TooFewSounds`."""
    names = [SPEECH] if source is None else sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
    found = [_decoded(name) for name in names]
    usable = [sound for sound in found if len(sound) >= LEAST_S * RATE]
    if not usable:
        raise TooFewSounds(f"{source} has no sound of {LEAST_S:.0f} s that can be decoded, expected at least one")
    return usable


def short_sounds(sources: Sequence[Samples], folder: Path, count: int) -> list[Path]:
    """`count` short sounds as WAV files: the recordings, in pieces where they are long, each time around fainter."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [piece for source in sources for piece in _pieces(source)]
    paths: list[Path] = []
    for number in range(count):
        path = folder / f"{number:05}.wav"
        around, at = divmod(number, len(pieces))
        path.write_bytes(wav(pieces[at] * np.float32(FAINTER**around)))
        paths.append(path)
    return paths


def long_sound(sources: Sequence[Samples], path: Path, seconds: float) -> Path:
    """One WAV file of at least so many seconds: the recordings one after the other, each time around fainter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pause = np.zeros(round(PAUSE_S * RATE), np.float32)
    parts: list[Samples] = []
    number = 0
    while sum(map(len, parts)) < seconds * RATE:
        around, at = divmod(number, len(sources))
        parts += [sources[at] * np.float32(FAINTER**around), pause]
        number += 1
    path.write_bytes(wav(np.concatenate(parts)))
    return path


def wav(sound: Samples) -> bytes:
    """WAV of 16 bits."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(_integers(sound).tobytes())
    return out.getvalue()


def seconds_of(path: Path) -> float:
    """How long a WAV file is."""
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


def piece(number: int, seconds: float, sources: Sequence[Samples]) -> Samples:
    """So many seconds of what the recordings say, one after the other around and around; the same every time."""
    chance = random.Random(number)
    count = round(seconds * RATE)
    everything = np.concatenate(sources)
    start = chance.randrange(len(everything))
    looped = np.resize(np.roll(everything, -start), count)
    return looped * np.float32(chance.uniform(0.6, 1.0))


def audio(number: int, sources: Sequence[Samples]) -> bytes:
    """The sound of this number: ten seconds of speech, as MP3."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        write_sound(container, stream, AUDIO_BITS, piece(number, AUDIO_S, sources))
    return out.getvalue()


def video(number: int, sources: Sequence[Samples]) -> bytes:
    """The video of this number: fifteen seconds of three captioned pictures that move, and speech, as MP4."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        heard = container.add_stream("aac", rate=RATE, layout="mono")
        stream = container.add_stream("libx264", rate=FRAMES_PER_S)
        stream.width, stream.height = VIDEO_SIZE
        stream.pix_fmt, stream.bit_rate = "yuv420p", VIDEO_BITS
        count = round(VIDEO_S * FRAMES_PER_S)
        for at in range(count):
            frame = av.VideoFrame.from_image(_frame(number, at, count))
            frame.pts, frame.time_base = at, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        write_sound(container, heard, VIDEO_SOUND_BITS, piece(number, VIDEO_S, sources))
    return out.getvalue()


def media_posts(kind: MediaKind, count: int, sources: Sequence[Samples], first: int = 0) -> Iterator[tuple[str, bytes]]:
    """Key and value of `count` posts, each with one sound (`audio`) or one video (`video`) in it."""
    make = audio if kind == "audio" else video
    for number in range(first, first + count):
        key = f"p-{number:06}"
        media = {"media_id": "m-1", "kind": kind, "data": base64.b64encode(make(number, sources)).decode()}
        yield key, json.dumps({"schema": "post/1", "post_id": key, "media": [media]}).encode()


def _decoded(path: Path) -> Samples:
    try:
        return np.asarray(decode_audio(str(path), RATE), np.float32)
    except (av.error.FFmpegError, IndexError):  # damaged, or without sound
        return np.zeros(0, np.float32)


def _pieces(sound: Samples) -> list[Samples]:
    most = round(MOST_S * RATE)
    cut = [sound[start : start + most] for start in range(0, len(sound), most)]
    return [part for part in cut if len(part) >= LEAST_S * RATE]


def _integers(sound: Samples) -> NDArray[np.int16]:
    return np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)


def write_sound(container: OutputContainer, stream: AudioStream, bits: int, sound: Samples) -> None:
    stream.bit_rate = bits
    frame = av.AudioFrame.from_ndarray(_integers(sound)[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts = RATE, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _frame(number: int, at: int, count: int) -> Image.Image:
    per_scene = -(-count // SCENES)
    scene, inside = divmod(at, per_scene)
    wide = _scene(number, scene)
    left = round(PAN * inside / per_scene)
    return wide.crop((left, 0, left + VIDEO_SIZE[0], VIDEO_SIZE[1]))


@cache
def _scene(number: int, scene: int) -> Image.Image:
    picture = Image.open(io.BytesIO(draw(number * SCENES + scene))).convert("RGB")
    return ImageOps.pad(picture, (VIDEO_SIZE[0] + PAN, VIDEO_SIZE[1]))  # its captions are at its edges
