"""What a file sounds like: one stream, decoded and resampled to 16 kHz, mono.

What is broken in the middle is left out and told; what comes after it is heard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from numpy.typing import NDArray

from processors.media.decoder.av_container import AnyPacket, only, opened, packets_of, prepared, said_by
from processors.media.decoder.av_probe import LOST_S, LOST_SHARE, Probe, odd_sound
from processors.media.decoder.clock import SOUND, Clock
from processors.media.decoder.decoded import DecodedSound, DecoderLimits, Gap
from processors.media.decoder.mixing import mono
from processors.media.wav import RATE, wav_of

_BLOCK = RATE
"""Samples that are mixed together: a second is enough to tell what cancels what."""

_JUMP_S = 0.1
"""A pause in the timestamps is silence from so much on; less is rounding."""

_MOST_SILENCE_S = 60.0
"""A longer pause is left out and told: a file of a second must not become an hour of silence."""

_MAY_PAUSE = {"mov", "matroska", "avi"}
"""Demuxers of what has a time for each packet, so that a recorder may leave silence out. In other files one follows on
the other, and what lies between is broken."""

_PACKET_S = 0.02
"""A packet of sound that does not say how long it is, or says less."""


def hear(
    data: bytes, media_type: str, found: Probe, limits: DecoderLimits, max_seconds: float, clock: Clock
) -> tuple[DecodedSound | None, Gap | None]:
    """The sound, and why some or all of it is missing. `found.sound` must be there. Raises `Undecodable`."""
    track = found.sound
    assert track is not None  # noqa: S101  # asked for above
    if track.refused is not None:
        return None, Gap(reason=track.refused, failed=True)
    heard = _Heard(max_seconds, found)
    with opened(data, media_type, limits, clock) as container:
        stream = container.streams[track.index]
        only(container, stream)
        prepared(stream, limits)
        heard.listen(packets_of(container, [stream], heard.break_off), clock)
    missing = heard.missing(found)
    if not heard.anything:
        return None, Gap(reason="; ".join(missing) or "there is nothing in its sound", failed=True)
    gap = Gap(reason=", and ".join([*missing, *found.unheard])) if missing or found.unheard else None
    samples = np.concatenate(heard.blocks)[: heard.most]
    return DecodedSound(data=wav_of(samples), seconds=len(samples) / RATE, t=heard.start_s), gap


@dataclass(slots=True)
class _Setup:
    """A resampler and what it was made for: it takes nothing else."""

    of: tuple[str, str, int]
    resampler: av.AudioResampler
    stereo: bool


class _Heard:
    """What was heard so far."""

    def __init__(self, max_seconds: float, found: Probe) -> None:
        self._max_seconds = max_seconds
        self._origin_s = found.start_s
        self._may_pause = found.demuxer in _MAY_PAUSE
        self._setup: _Setup | None = None
        self._stereo: list[NDArray[np.int16]] = []
        self._stereo_count = 0
        self._clock_s: float | None = None
        """By the container's clock, when the first sample was; later by as much as was left out since."""
        self._lost_s = 0.0
        self._skipped_s = 0.0
        self._odd: str | None = None
        self.blocks: list[NDArray[np.int16]] = []
        self.count = 0
        """Samples of 16 kHz."""
        self.most = int(max_seconds * RATE)
        """As many as are kept."""
        self.anything = False
        """Whether there is more than silence between what could not be decoded."""
        self.start_s = 0.0
        self.stopped: str | None = None
        self._full = False

    def listen(self, packets: Iterator[AnyPacket], clock: Clock) -> None:
        for packet in packets:
            if clock.over(SOUND):
                self.stopped = "its sound takes too long to decode"
                break
            self._take(packet)
            if self._full:
                break
        self._change(None)
        self._mix()

    def break_off(self, words: str) -> None:
        self.stopped = f"its sound is broken in the middle: {words}"

    def missing(self, found: Probe) -> list[str]:
        """What of it was left out, in words."""
        seconds = self.count / RATE
        told: list[str] = []
        if self._full:
            return [f"only the first {self._max_seconds:g} s of its sound are listened to"]
        lost_s = max(self._lost_s, 0.0 if self.stopped else self._expected_s(found) - seconds)
        if self.stopped:
            told.append(f"{self.stopped}, at {seconds:.1f} s")
        if self._odd:
            told.append(self._odd)
        elif lost_s > LOST_S:
            told.append(f"{lost_s:.1f} s of its sound are broken")
        if self._skipped_s:
            told.append(f"its sound pauses for {self._skipped_s:,.0f} s, which are left out")
        return told + found.missing

    def _expected_s(self, found: Probe) -> float:
        """How long the sound is by its packets, without what was left out: decoders may make nothing of some, and not
        say so."""
        track = found.sound
        if track is None or track.first_s is None:
            return 0.0
        return (track.end_s - track.first_s) * (1 - LOST_SHARE) - self._skipped_s

    def _take(self, packet: AnyPacket) -> None:
        try:
            frames = packet.decode()
        except FFmpegError:
            if packet.size:
                self._lost_s += max(_PACKET_S, float((packet.duration or 0) * packet.time_base))
            return
        for frame in frames:
            if isinstance(frame, AudioFrame) and frame.samples and not self._full:
                self._add(frame)

    def _add(self, frame: AudioFrame) -> None:
        odd = odd_sound(frame.sample_rate, frame.layout.nb_channels)
        if odd is not None:
            self._odd = odd
            return
        self._keep_time(frame)
        of = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._setup is None or self._setup.of != of:
            self._change(frame)
        setup = self._setup
        if setup is None:
            return
        frame.pts = None  # the resampler would fill pauses by itself, of any length
        try:
            self._push(setup, frame)
        except (FFmpegError, ValueError) as error:
            self._setup = None
            self._odd = f"its sound in {frame.layout.name} cannot be mixed ({said_by(error)})"

    def _change(self, frame: AudioFrame | None) -> None:
        """Ends the resampler that there is, and makes one for such frames."""
        if self._setup is not None:
            try:
                self._push(self._setup, None)
            except (FFmpegError, ValueError) as error:
                self._odd = f"the end of its sound is lost ({said_by(error)})"
        self._setup = None
        if frame is not None:
            stereo = frame.layout.nb_channels > 1
            resampler = av.AudioResampler("s16", "stereo" if stereo else "mono", RATE)
            self._setup = _Setup((frame.format.name, frame.layout.name, frame.sample_rate), resampler, stereo)

    def _push(self, setup: _Setup, frame: AudioFrame | None) -> None:
        for made in cast("list[AudioFrame | None]", setup.resampler.resample(frame)):
            if made is None:  # what needs no resampling has no end either
                continue
            self.anything = True
            samples = np.asarray(made.to_ndarray(), np.int16).reshape(-1)
            if setup.stereo:
                self._stereo.append(samples.reshape(-1, 2))
                self._stereo_count += len(samples) // 2
                if self._stereo_count >= _BLOCK:
                    self._mix()
            else:
                self._mix()
                self._append(samples)

    def _mix(self) -> None:
        if self._stereo:
            stereo = np.concatenate(self._stereo)
            self._stereo.clear()
            self._stereo_count = 0
            self._append(mono(stereo))

    def _append(self, samples: NDArray[np.int16]) -> None:
        self.blocks.append(samples)
        self.count += len(samples)
        self._full = self._full or self.count > self.most

    def _keep_time(self, frame: AudioFrame) -> None:
        """Silence where the timestamps say that there is some."""
        t = frame.time
        if t is None:
            return
        if self._clock_s is None:
            self._clock_s = t
            self.start_s = min(max(0.0, t - self._origin_s), self._max_seconds)
            return
        ahead_s = t - self._clock_s - (self.count + self._stereo_count) / RATE
        if ahead_s < _JUMP_S:
            return
        if ahead_s > _MOST_SILENCE_S:
            self._skipped_s += ahead_s
            self._clock_s += ahead_s
            return
        self._change(None)
        self._mix()
        self._append(np.zeros(min(int(ahead_s * RATE), self.most + 1 - self.count), np.int16))
        if not self._may_pause:
            self._lost_s += ahead_s
