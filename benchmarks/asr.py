"""Seconds of sound a second through the ASR stage, and through faster-whisper: same weights, sounds and cores.

Short sounds, as posts have them, beside faster-whisper called file by file; one long sound beside its own batched
pipeline; and what a sound costs that the stage has heard before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.chain import MIB
from benchmarks.readers import Reader, asr_stage, faster_whisper
from benchmarks.recording import long_sound, recordings, seconds_of, short_sounds
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, spread
from models_export.evaluation.asr_suite.words import words
from models_export.measures.edit_distance import sequence_distance

NAME = "asr"
REQUIRED_BY_FILE, REQUIRED_BATCHED = 1.5, 1.0
SOUNDS, QUICK_SOUNDS = 60, 6
LONG_S, QUICK_LONG_S = 300.0, 40.0
ROUNDS = 3
REPEATED = 8
"""Sounds that are heard a second time."""
BEAMS = (5, 1)
"""faster-whisper's default, and greedily, as the stage does it unless a gate fails."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One reader's rounds over the same sounds."""

    name: str
    seconds: list[float]
    """Of each round."""
    cpu_s: list[float]
    """CPU time of each round."""
    lines: list[list[str]]
    """Of each sound."""
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class Task:
    """Sounds that some readers hear in turn; the first of them is the stage."""

    sounds: int
    sound_s: float
    """All of them together."""
    measured: list[Measured] = field(default_factory=list[Measured])

    def times_real(self, of: Measured) -> list[float]:
        """Seconds of sound per second, of each round."""
        return [self.sound_s / seconds for seconds in of.seconds]

    def ratio(self, of: Measured) -> float:
        """How many times as fast as `of` the stage is."""
        return digits(median(of.seconds) / median(self.measured[0].seconds), 3)


def run(folder: Path, sounds: Path | None, *, quick: bool, say: Callable[[str], None]) -> Report:
    """`sounds`: a folder of them; None takes the example's. Raises `SubjectFailed` and `TooFewSounds`."""
    count, rounds = (QUICK_SOUNDS, 1) if quick else (SOUNDS, ROUNDS)
    sources = recordings(sounds)
    short = short_sounds(sources, folder / "short", count + REPEATED)
    long = long_sound(sources, folder / "long.wav", QUICK_LONG_S if quick else LONG_S)
    with ExitStack() as stack:
        stage = stack.enter_context(asr_stage(folder, cache=False))
        others = {
            (way, beam): stack.enter_context(faster_whisper(folder, way, beam))
            for way in ("single", "batched")
            for beam in BEAMS
        }
        by_file = {"ASR stage": stage, **{f"file by file, beam {beam}": others["single", beam] for beam in BEAMS}}
        batched = {"ASR stage": stage, **{f"batched pipeline, beam {beam}": others["batched", beam] for beam in BEAMS}}
        for reader in (stage, *others.values()):
            reader.read(short[count:][:2])
        short_task = measure(by_file, short[:count], rounds, "short sounds", say)
        long_task = measure(batched, [long], rounds, "a long sound", say)
    with asr_stage(folder, cache=True) as remembering:
        say("asr: what has been heard before")
        remembering.read(short[:2])
        new_s, repeated_s = (remembering.read(short[count:]).seconds for _ in range(2))
    return report(short_task, long_task, new_ms=new_s / REPEATED * 1000, repeated_ms=repeated_s / REPEATED * 1000)


def measure(
    readers: dict[str, Reader], files: Sequence[Path], rounds: int, what: str, say: Callable[[str], None]
) -> Task:
    """All readers in turn over the same files."""
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    cpu_s: dict[str, list[float]] = {name: [] for name in readers}
    lines: dict[str, list[list[str]]] = {}
    order = list(readers)
    for number in range(rounds):
        say(f"asr, {what}, round {number + 1} of {rounds}")
        for name in order:
            reading = readers[name].read(files)
            seconds[name].append(reading.seconds)
            cpu_s[name].append(reading.cpu_s)
            lines[name] = reading.lines
        order.reverse()  # none always comes first
    measured = [
        Measured(name, seconds[name], cpu_s[name], lines[name], reader.peak_rss_bytes)
        for name, reader in readers.items()
    ]
    return Task(len(files), sum(map(seconds_of, files)), measured)


def report(short: Task, long: Task, *, new_ms: float, repeated_ms: float) -> Report:
    """The report on these rounds."""
    figures: dict[str, Any] = {
        "short": _figures(short),
        "long": _figures(long),
        "remembered": {"new_ms": digits(new_ms), "repeated_ms": digits(repeated_ms)},
    }
    targets = [
        *(
            Target(f"ASR stage by faster-whisper {of.name}", short.ratio(of), REQUIRED_BY_FILE)
            for of in short.measured[1:]
        ),
        *(
            Target(f"ASR stage by faster-whisper's {of.name}", long.ratio(of), REQUIRED_BATCHED)
            for of in long.measured[1:]
        ),
    ]
    remembered = Table("a sound through the ASR stage, ms", ("new", "repeated"), [(new_ms, repeated_ms)])
    return Report(
        NAME,
        figures,
        (
            _table(f"asr: {short.sounds} sounds, {short.sound_s:.0f} s together", short),
            _table(f"asr: one sound of {long.sound_s:.0f} s", long),
            remembered,
        ),
        tuple(targets),
    )


def alike(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """How much of the words of all sounds is the same, 0..1: one less their edit distance by the longer one's number.

    1 where neither has heard anything.
    """
    apart = total = 0
    for mine, theirs in zip(one, other, strict=True):
        left, right = words(" ".join(mine), "en"), words(" ".join(theirs), "en")
        apart += sequence_distance(left, right)
        total += max(len(left), len(right))
    return 1 - apart / total if total else 1.0


def _figures(task: Task) -> dict[str, Any]:
    return {
        "sounds": task.sounds,
        "sound_s": digits(task.sound_s),
        "readers": {
            of.name: {
                "times_real": spread(task.times_real(of)),
                "rounds_s": [digits(seconds) for seconds in of.seconds],
                "cpu_s_per_sound_s": _cpu_per_second(task, of),
                "words": _count(of),
                "words_alike": digits(alike(task.measured[0].lines, of.lines), 3),
                "stage_is_times_as_fast": task.ratio(of),
                "peak_rss_mib": round(of.peak_rss_bytes / MIB),
            }
            for of in task.measured
        },
    }


def _table(title: str, task: Task) -> Table:
    columns = ("", "times real", "least", "most", "sounds/s", "CPU s/s", "words", "alike", "memory MiB")
    rows = [
        (
            of.name,
            *spread(task.times_real(of)).values(),
            digits(task.sounds / median(of.seconds)),
            _cpu_per_second(task, of),
            _count(of),
            f"{alike(task.measured[0].lines, of.lines):.1%}",
            round(of.peak_rss_bytes / MIB),
        )
        for of in task.measured
    ]
    return Table(title, columns, rows)


def _cpu_per_second(task: Task, of: Measured) -> float:
    """CPU seconds per second of sound."""
    return digits(median(of.cpu_s) / task.sound_s)


def _count(of: Measured) -> int:
    return sum(len(words(" ".join(lines), "en")) for lines in of.lines)
