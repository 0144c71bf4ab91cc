"""Sounds that the suite makes itself: such as hold no word, and words in the middle of those.

All are the same every time. Those without words are what models of speech are known to hear words in: silence, noise,
tones, and their ends.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.asr_suite.samples import Clip, Spoken

RATE = 16_000
"""Samples a second."""
PART = "made"
IN_SILENCE = "speech in silence"
IN_NOISE = "speech in noise"
SEED = 5

Samples = NDArray[np.float32]
"""Shape [samples], mono, -1..1."""

PAUSE_S = 20.0
"""Before and after speech in silence: the silence fills most of a window of 30 s."""
SPEECH_OVER_NOISE_DB = 10.0
"""A street; people still understand every word."""


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def white(seconds: float, loudness: float, seed: int = SEED) -> Samples:
    """Gaussian noise; `loudness` is its root mean square."""
    noise = np.random.default_rng(seed).normal(0, loudness, round(seconds * RATE))
    return np.clip(noise, -1, 1).astype(np.float32)


def pink(seconds: float, loudness: float, seed: int = SEED) -> Samples:
    """Noise whose power falls with the frequency: white noise with its spectrum divided by the root of it."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise = np.fft.irfft(spectrum, count)
    return np.clip(noise * (loudness / np.sqrt(np.mean(noise**2))), -1, 1).astype(np.float32)


def tone(seconds: float, *hertz: float, loudness: float = 0.3) -> Samples:
    """Sines of these frequencies together."""
    at = np.arange(round(seconds * RATE)) / RATE
    waves = np.sum([np.sin(2 * np.pi * frequency * at) for frequency in hertz], axis=0)
    return (loudness / len(hertz) * waves).astype(np.float32)


def pulses(seconds: float, every_s: float, loudness: float = 0.8) -> Samples:
    """Clicks of a hundredth of a second at even distances, as of a clock or a turning fan."""
    sound = silence(seconds)
    click = white(0.01, 0.4) * loudness
    for start in range(0, len(sound) - len(click), round(every_s * RATE)):
        sound[start : start + len(click)] += click
    return sound


def swelling(sound: Samples, hertz: float) -> Samples:
    """A sound that grows and fades so many times a second: the rhythm of syllables is 4."""
    at = np.arange(len(sound)) / RATE
    return (sound * (0.5 - 0.5 * np.cos(2 * np.pi * hertz * at))).astype(np.float32)


SPEECHLESS: Mapping[str, tuple[str, Callable[[], Samples]]] = {
    "silence-0.2s": ("silence", lambda: silence(0.2)),
    "silence-3s": ("silence", lambda: silence(3)),
    "silence-10s": ("silence", lambda: silence(10)),
    "silence-45s": ("silence", lambda: silence(45)),
    "white-noise-faint": ("noise", lambda: white(10, 0.001)),
    "white-noise": ("noise", lambda: white(10, 0.05)),
    "white-noise-loud": ("noise", lambda: white(35, 0.3)),
    "pink-noise": ("noise", lambda: pink(10, 0.05)),
    "pink-noise-loud": ("noise", lambda: pink(35, 0.2)),
    "swelling-noise": ("noise", lambda: swelling(pink(12, 0.2), 4)),
    "clicks": ("noise", lambda: pulses(10, 0.5)),
    "hum": ("noise", lambda: tone(10, 50, 100, 150, loudness=0.2)),
    "tone-440": ("tone", lambda: tone(8, 440)),
    "tone-1000-long": ("tone", lambda: tone(40, 1000)),
    "chord": ("tone", lambda: tone(10, 220, 277.2, 329.6)),
    "swelling-chord": ("tone", lambda: swelling(tone(12, 130, 260, 390, 700), 4)),
}
"""Name -> kind, and what makes it."""


def make_speechless(folder: Path) -> list[Clip]:
    """All sounds without a word, as WAV files in a folder."""
    return [made(folder, name, kind, make(), lang=None, transcript=None) for name, (kind, make) in SPEECHLESS.items()]


def make_mixed(folder: Path, speech: Sequence[tuple[Clip, Samples]]) -> list[Clip]:
    """Each of these clips twice: with silence around it, and in pink noise. Their transcripts hold."""
    mixed: list[Clip] = []
    for clip, samples in speech:
        name = Path(clip.id).stem
        pause = silence(PAUSE_S)
        loudness = float(np.sqrt(np.mean(samples**2))) / 10 ** (SPEECH_OVER_NOISE_DB / 20)
        noise = pink(len(samples) / RATE, loudness)[: len(samples)]
        for kind, sound in (
            (IN_SILENCE, np.concatenate([pause, samples, pause])),
            (IN_NOISE, np.clip(samples + noise, -1, 1)),
        ):
            file = f"{name}-{kind.replace(' ', '-')}"
            mixed.append(made(folder, file, kind, sound, lang=clip.lang, transcript=clip.transcript))
    return mixed


def made(folder: Path, name: str, kind: str, sound: Samples, *, lang: str | None, transcript: str | None) -> Clip:
    """A clip of this sound, in a WAV file of 16 bits."""
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
    said = Spoken.NO if transcript is None else Spoken.YES
    return Clip(f"{PART}/{name}", path, PART, "audio", kind, lang, transcript, said)
