"""Processes that read media when they are asked to: pictures the OCR stage, and PaddleOCR as it is; sounds the ASR
stage, and faster-whisper as it is.

All get a list of files on a line of their standard input, read all of them, and answer on one line with the seconds
that this took, by the clock and of CPU time, and the lines of text of each file. Starting and loading models do not
count.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from benchmarks.drawing import draw
from benchmarks.processes import Subject

ANSWER_S = 1_800.0
"""For all files of a question, on a busy machine."""
MOST_SIDE = 2_048
"""Long side of the pictures read, as fetch keeps them."""
QUALITY = 95
MIN_CHARS = 2
"""Shorter lines are not compared: the stage leaves them out, since single letters are mostly texture."""
SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class TooFewPictures(Exception):
    """A folder has not the pictures that a benchmark needs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer."""

    seconds: float
    cpu_s: float
    """CPU time of all of its threads: what others do on the machine changes it little."""
    lines: list[list[str]]
    """Of each file; of a sound, its segments."""


class Reader:
    """A subject that reads media."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def read(self, files: Sequence[Path]) -> Reading:
        """Raises `SubjectFailed`."""
        answer = json.loads(self._subject.ask(json.dumps([str(path) for path in files]), ANSWER_S))
        return Reading(answer["seconds"], answer["cpu_s"], answer["lines"])

    @property
    def peak_rss_bytes(self) -> int:
        return self._subject.watch.peak_rss_bytes


@contextmanager
def ocr_stage(folder: Path, *, cache: bool) -> Generator[Reader]:
    """The chain's OCR stage, with its settings at their defaults. `cache`: whether it remembers what it has read."""
    with _stage("ocr", folder, {} if cache else {"MODSTREAM_OCR__CACHE_PICTURES": "0"}) as reader:
        yield reader


@contextmanager
def asr_stage(folder: Path, *, cache: bool) -> Generator[Reader]:
    """The chain's ASR stage, with its settings at their defaults. `cache`: whether it remembers what it has heard."""
    with _stage("asr", folder, {} if cache else {"MODSTREAM_ASR__CACHE_SOUNDS": "0"}) as reader:
        yield reader


@contextmanager
def faster_whisper(folder: Path, way: str, beam: int) -> Generator[Reader]:
    """faster-whisper, in one of the ways that its subject knows."""
    with Subject("benchmarks.subjects.faster_whisper_reader", way, str(beam), folder=folder) as subject:
        subject.wait_ready()
        yield Reader(subject)


@contextmanager
def paddleocr(folder: Path, python: Path, models: Path, threads: int) -> Generator[Reader]:
    """PaddleOCR in an environment of its own, whose Python is `python`. `models`: the folder with both graphs."""
    env = {
        "PADDLE_PDX_CACHE_HOME": str(folder / "paddlex"),
        "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True",  # the graphs are here: nothing is to be looked for elsewhere
    }
    module, arguments = "benchmarks.subjects.paddleocr_reader", (str(models), str(threads))
    with Subject(module, *arguments, folder=folder, env=env, python=str(python.absolute())) as subject:
        subject.wait_ready()
        yield Reader(subject)


@contextmanager
def _stage(name: str, folder: Path, env: Mapping[str, str]) -> Generator[Reader]:
    places = {"MODSTREAM_STORE__URL": str(folder / "store"), "MODSTREAM_STATE_DIR": str(folder / "state")}
    with Subject(f"benchmarks.subjects.{name}_stage", folder=folder, env={**places, **env}) as subject:
        subject.wait_ready()
        yield Reader(subject)


def drawn(folder: Path, count: int) -> list[Path]:
    """That many pictures, drawn into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for number in range(count):
        path = folder / f"{number:05}.jpg"
        path.write_bytes(draw(number))
        paths.append(path)
    return paths


def found(source: Path, folder: Path, count: int) -> list[Path]:
    """The first `count` pictures of the folder `source`, by name, as JPEG files in `folder` that all can read.

    Raises `TooFewPictures`.
    """
    names = sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
    if len(names) < count:
        raise TooFewPictures(f"{source} has {len(names)} pictures, expected at least {count}")
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name in names[:count]:
        picture = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        picture.thumbnail((MOST_SIDE, MOST_SIDE))
        path = folder / f"{len(paths):05}.jpg"
        picture.save(path, "JPEG", quality=QUALITY, subsampling=0)
        paths.append(path)
    return paths


def alike(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """The share of lines that both have read, in 0..1: twice the common ones of each picture by those of both.

    Case, spaces and forms of the same letter do not count. 1 where neither has read anything.
    """
    common = total = 0
    for mine, theirs in zip(one, other, strict=True):
        left, right = _compared(mine), _compared(theirs)
        common += (left & right).total()
        total += left.total() + right.total()
    return 2 * common / total if total else 1.0


def _compared(lines: Sequence[str]) -> Counter[str]:
    plain = ("".join(unicodedata.normalize("NFKC", line).casefold().split()) for line in lines)
    return Counter(line for line in plain if len(line) >= MIN_CHARS)
