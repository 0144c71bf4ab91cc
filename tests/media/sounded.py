"""Sounds and videos that the tests make for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from io import BytesIO
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from processors.media.wav import wav_of

Samples = NDArray[np.float32]
"""[channels, samples], -1 to 1."""

CODECS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "flac": "flac",
    "ogg": "libopus",
    "adts": "aac",
    "mp4": "aac",
    "mov": "aac",
    "webm": "libopus",
    "matroska": "flac",
    "avi": "libmp3lame",
}
"""What a container's sound is written with, unless told otherwise."""

VIDEO_CODECS = {"mp4": "libx264", "mov": "libx264", "webm": "libvpx-vp9", "matroska": "libx264", "avi": "mpeg4"}

RATE = 25
"""Frames a second."""

_FRAME_SAMPLES = 960
"""What every encoder takes: 20 ms at 48 kHz."""


def tone(seconds: float, hertz: float = 440.0, rate: int = 48_000, level: float = 0.5) -> Samples:
    """One channel of a sine."""
    at = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * at)).astype(np.float32)[None]


def silence(seconds: float, rate: int = 48_000) -> Samples:
    return np.zeros((1, round(seconds * rate)), np.float32)


def speechless_wav(seconds: float) -> bytes:
    """A WAV of ours in which nobody says anything."""
    return wav_of((tone(seconds, rate=16_000)[0] * 8_000).astype(np.int16))


def sound(samples: Samples, container: str = "wav", *, rate: int = 48_000, codec: str | None = None) -> bytes:
    """A file of that sound."""
    buffer = BytesIO()
    with av.open(buffer, "w", format=container) as output:
        add_sound(output, sound_stream(output, samples, rate, codec or CODECS[container]), samples, rate)
    return buffer.getvalue()


def with_cover(mp3: bytes, picture: bytes, kind: str = "image/jpeg", copies: int = 1) -> bytes:
    """An MP3 with a picture attached to it (ID3v2.3, `APIC`)."""
    frame = b"\0" + kind.encode() + b"\0\3\0" + picture
    frames = (b"APIC" + len(frame).to_bytes(4, "big") + b"\0\0" + frame) * copies
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frames + mp3


def video(
    pictures: Sequence[Image.Image],
    container: str = "mp4",
    *,
    samples: Samples | None = None,
    times: Sequence[float] | None = None,
    codec: str | None = None,
    rotation: int = 0,
    ratio: Fraction | None = None,
    key_every: int = 12,
    sound_from_s: float = 0.0,
    faststart: bool = False,
) -> bytes:
    """A file that shows these pictures, at `times` (seconds) or `RATE` a second. `samples`: its sound, at 48 kHz.

    `rotation`: degrees, against the clock, by which players turn it; `ratio`: width of a pixel per height;
    `faststart`: an MP4 whose index comes first, so that its beginning can be played without its end.
    """
    buffer = BytesIO()
    with av.open(buffer, "w", format=container, options={"moov_size": "100000"} if faststart else {}) as output:
        stream = video_stream(output, pictures[0].size, codec or VIDEO_CODECS[container], key_every)
        if rotation:
            stream.set_display_rotation(rotation)
        if ratio:
            stream.codec_context.sample_aspect_ratio = ratio
        heard = sound_stream(output, samples, 48_000, CODECS[container]) if samples is not None else None
        add_video(output, stream, pictures, times or [at / RATE for at in range(len(pictures))])
        if heard is not None and samples is not None:
            add_sound(output, heard, samples, 48_000, sound_from_s)
    return buffer.getvalue()


def sound_stream(output: OutputContainer, samples: Samples, rate: int, codec: str) -> AudioStream:
    stream = cast("AudioStream", output.add_stream(codec, rate=rate))
    stream.codec_context.layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    return stream


def add_sound(
    output: OutputContainer,
    stream: AudioStream,
    samples: Samples,
    rate: int,
    from_s: float = 0.0,
    *,
    pause_after_s: float = 0.0,
    pause_s: float = 0.0,
) -> None:
    """Encodes the samples and ends the stream. `pause_s`: how far the timestamps jump after so many seconds."""
    layout = stream.codec_context.layout.name
    base = Fraction(1, rate)
    encoder_format = stream.codec_context.format.name
    for at in range(0, samples.shape[1], _FRAME_SAMPLES):
        part = np.ascontiguousarray(samples[:, at : at + _FRAME_SAMPLES])
        frame = AudioFrame.from_ndarray(part, "fltp", layout)
        frame.sample_rate, frame.time_base = rate, base
        start_s = from_s + (pause_s if at >= pause_after_s * rate else 0.0)
        frame.pts = at + round(start_s * rate)
        for made in av.AudioResampler(encoder_format, layout, rate).resample(frame):
            made.pts = frame.pts
            output.mux(stream.encode(made))
    output.mux(stream.encode(None))


def video_stream(output: OutputContainer, size: tuple[int, int], codec: str, key_every: int = 12) -> VideoStream:
    stream = cast("VideoStream", output.add_stream(codec, rate=RATE))
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.gop_size = key_every
    stream.codec_context.time_base = Fraction(1, 1000)
    if codec in ("libx264", "libvpx-vp9"):
        fast = {"preset": "ultrafast", "crf": "18", "tune": "zerolatency"}
        stream.codec_context.options = fast if codec == "libx264" else {"deadline": "realtime", "cpu-used": "8"}
    else:
        stream.codec_context.time_base = Fraction(1, RATE)
        stream.codec_context.bit_rate = 4_000_000
    return stream


def add_video(
    output: OutputContainer, stream: VideoStream, pictures: Iterable[Image.Image], times: Iterable[float]
) -> None:
    """Encodes the pictures and ends the stream."""
    base = stream.codec_context.time_base
    for picture, t in zip(pictures, times, strict=True):
        frame = VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), "rgb24").reformat(format="yuv420p")
        frame.time_base, frame.pts = base, round(t / base)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
