"""Reading lines in scripts that the pack's recogniser lacks, with the `tesseract` program where it is installed.

The program is a stranger: it runs in its own process, without a shell, for a limited time, and its answer has a limited
size. Whatever happens to it, the lines are merely unread, which makes their post's modality `unsafe`.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

log = logging.getLogger(__name__)

PROGRAM = "tesseract"
DATA_SUFFIX = ".traineddata"

SECONDS_A_RUN = 5.0
"""To start, and to load a model of up to 15 MB from a slow disk."""

SECONDS_A_LINE = 2.0
"""A line takes 0.02 to 0.2 s on an idle core; a machine at its limits takes longer."""

LINES_A_RUN = 32
"""Of one process, whose start costs as much as reading some ten lines."""

FAILURES_IN_A_ROW = 3
"""Lines that fail alone, after which the rest of the call is given up: it is the program, not the lines."""

BYTES_A_LINE = 64 * 1024
"""Of the answer: a word takes some 60 bytes."""

MARGIN = 10
"""Pixels around a line, without which Tesseract loses letters at its ends."""

MAX_LANGUAGES = 2
"""Models that read the same line one after the other; each takes its time."""

MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Arab": ("Arabic", ("ara", "fas", "urd")),
    "Armn": ("Armenian", ("hye",)),
    "Beng": ("Bengali", ("ben", "asm")),
    "Cyrl": ("Cyrillic", ("rus", "ukr", "bul", "srp", "bel", "mkd", "kaz")),
    "Deva": ("Devanagari", ("hin", "mar", "nep")),
    "Ethi": ("Ethiopic", ("amh", "tir")),
    "Geor": ("Georgian", ("kat",)),
    "Grek": ("Greek", ("ell",)),
    "Gujr": ("Gujarati", ("guj",)),
    "Guru": ("Gurmukhi", ("pan",)),
    "Hang": ("Hangul", ("kor",)),
    "Hebr": ("Hebrew", ("heb", "yid")),
    "Khmr": ("Khmer", ("khm",)),
    "Knda": ("Kannada", ("kan",)),
    "Laoo": ("Lao", ("lao",)),
    "Mlym": ("Malayalam", ("mal",)),
    "Mymr": ("Myanmar", ("mya",)),
    "Orya": ("Oriya", ("ori",)),
    "Sinh": ("Sinhala", ("sin",)),
    "Taml": ("Tamil", ("tam",)),
    "Telu": ("Telugu", ("tel",)),
    "Thai": ("Thai", ("tha",)),
    "Tibt": ("Tibetan", ("bod", "dzo")),
}
"""ISO 15924 -> the name of Tesseract's model of the script, and of its languages, the most written first."""

LOOSE = frozenset({"Hang", "Khmr", "Laoo", "Mymr", "Thai", "Tibt"})
"""Scripts in which Tesseract takes every sign for a word and sets spaces between them, unless told to keep to those of
the picture. Told so, it leaves out spaces of lines that run from right to left."""

UNREAD = ("", 0.0)

DIRECTIONS = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks of direction, which Tesseract puts around words that run from right to left and nobody wrote."""

COLUMNS = (
    *("level", "page_num", "block_num", "par_num", "line_num", "word_num"),
    *("left", "top", "width", "height", "conf", "text"),
)
"""Of Tesseract's table."""


class TesseractError(Exception):
    """What the settings ask for is not there; the message names it and says what is expected."""


class TesseractReader:
    """Reads lines of the scripts that a folder of `*.traineddata` has models for. Safe to call from several threads."""

    def __init__(self, program: Path, tessdata: Path, *, seconds_a_run: float = SECONDS_A_RUN) -> None:
        """Raises `TesseractError` where the folder has no model of any script."""
        self._program = program
        self._tessdata = tessdata
        self._seconds_a_run = seconds_a_run
        self._models = _installed(tessdata)
        self._complained = False
        if not self._models:
            raise TesseractError(
                f"{tessdata}: no {DATA_SUFFIX} of a script that the recogniser lacks; expected some, such as"
                f" rus{DATA_SUFFIX} or script/Cyrillic{DATA_SUFFIX}"
            )

    @classmethod
    def open(cls, tessdata: Path) -> TesseractReader:
        """Raises `TesseractError` where there is no such folder, nothing of use in it, or no `tesseract` program."""
        if not tessdata.is_dir():
            raise TesseractError(f"{tessdata}: no such folder; expected one with Tesseract's *{DATA_SUFFIX}")
        program = shutil.which(PROGRAM)
        if program is None:
            raise TesseractError(
                f"{tessdata} is set, but no program {PROGRAM!r} is on the path: install it, or leave the folder out"
            )
        return cls(Path(program), tessdata)

    @property
    def scripts(self) -> tuple[str, ...]:
        """ISO 15924 codes that can be read, in alphabetical order."""
        return tuple(sorted(self._models))

    def read(self, crops: Sequence[NDArray[np.uint8]], script: str, /) -> list[tuple[str, float]]:
        """(text, confidence 0..1) of each line: RGB, [rows, columns, 3], all in one of `scripts`.

        A line that the program fails on, or sees nothing in, is ("", 0.0). One that fails takes no other with it.
        """
        command = self._command(script)
        results: list[tuple[str, float]] = []
        for start in range(0, len(crops), LINES_A_RUN):
            lines = crops[start : start + LINES_A_RUN]
            read = self._run(lines, command)
            results += self._one_by_one(lines, command) if read is None else read
        return results

    def _one_by_one(self, crops: Sequence[NDArray[np.uint8]], command: Sequence[str]) -> list[tuple[str, float]]:
        """After a run of several failed."""
        results: list[tuple[str, float]] = []
        failures = 0
        for crop in crops:
            if len(crops) == 1 or failures == FAILURES_IN_A_ROW:
                results.append(UNREAD)
                continue
            read = self._run([crop], command)
            failures = failures + 1 if read is None else 0
            results += read or [UNREAD]
        return results

    def _command(self, script: str) -> list[str]:
        spaces = int(script in LOOSE)
        return [
            *(str(self._program), "stdin", "stdout"),
            *("--tessdata-dir", str(self._tessdata)),
            *("-l", self._models[script], "--psm", "7", "--dpi", "150"),
            *(
                "-c",
                "tessedit_create_tsv=1",
                "-c",
                "tessedit_create_txt=1",
                "-c",
                f"preserve_interword_spaces={spaces}",
            ),
        ]

    def _run(self, crops: Sequence[NDArray[np.uint8]], command: Sequence[str]) -> list[tuple[str, float]] | None:
        """None where the program failed; it has been logged, once until it works again."""
        try:
            answer = _answer(
                command,
                _pages(crops),
                seconds=self._seconds_a_run + SECONDS_A_LINE * len(crops),
                most=BYTES_A_LINE * len(crops),
            )
            result = _lines(answer, len(crops))
        except (OSError, ValueError) as error:
            if not self._complained:
                self._complained = True
                log.warning("%s: %s; lines that it should have read count as not read", self._program, error)
            return None
        self._complained = False
        return result


def _installed(tessdata: Path) -> dict[str, str]:
    """Script -> the model to ask for: that of the script where there is one, else those of its languages."""
    models: dict[str, str] = {}
    for script, (name, languages) in MODELS.items():
        whole = [found for found in (f"script/{name}", name) if (tessdata / f"{found}{DATA_SUFFIX}").is_file()]
        single = [found for found in languages if (tessdata / f"{found}{DATA_SUFFIX}").is_file()]
        if whole or single:
            models[script] = whole[0] if whole else "+".join(single[:MAX_LANGUAGES])
    return models


def _pages(crops: Sequence[NDArray[np.uint8]]) -> bytes:
    """A TIFF with a grey page for each crop, dark on light, with a margin of its own background."""
    pages = [Image.fromarray(_dark_on_light(crop)) for crop in crops]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    return file.getvalue()


def _dark_on_light(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Letters take less of a line than what is around them, so its median is the background."""
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    background = float(np.median(grey))
    if background < (float(grey.min()) + float(grey.max())) / 2:
        grey, background = 255 - grey, 255 - background
    return np.pad(grey, MARGIN, constant_values=int(background))


def _answer(command: Sequence[str], pages: bytes, *, seconds: float, most: int) -> bytes:
    """What the program prints. Raises OSError where it does not start, and ValueError where it does not end well."""
    with tempfile.TemporaryFile() as given:
        given.write(pages)
        given.seek(0)
        process = subprocess.Popen(
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # One line is too little work to share among threads.
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            start_new_session=True,
        )
        late = threading.Event()
        clock = threading.Timer(seconds, lambda: (late.set(), _kill(process)))
        clock.start()
        try:
            with process, process.stdout or io.BytesIO() as output:
                answer = output.read(most + 1)
                if len(answer) > most:
                    raise ValueError(f"it printed more than {most:,} bytes")
                status = process.wait()
        finally:
            clock.cancel()
            _kill(process)
    if late.is_set():
        raise ValueError(f"it did not end within {seconds:.0f} s")
    if status != 0:
        raise ValueError(f"it ended with status {status}")
    return answer


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The program and whatever it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _lines(answer: bytes, count: int) -> list[tuple[str, float]]:
    """Text and mean confidence (by letters) of each page. Raises ValueError for what is not Tesseract's answer.

    For each page it prints a table of what it found, with confidences, and then the text. Where a script has no spaces,
    or a line is widely set, only the text has words as a person would write them.
    """
    header, *rows = answer.decode("utf-8", "replace").translate(DIRECTIONS).split("\n")
    if tuple(header.split("\t")) != COLUMNS:
        raise ValueError("its answer does not begin with its table's columns")
    texts: list[list[str]] = [[] for _ in range(count)]
    sums = np.zeros((count, 2))
    page = -1
    for row in rows:
        fields = row.split("\t")
        if len(fields) == len(COLUMNS):
            try:
                page, confidence = int(fields[1]) - 1, float(fields[-2])
            except ValueError:  # whose text would quote what was read, and ours is logged
                raise ValueError("a row of its table has no numbers") from None
            if not 0 <= page < count:
                raise ValueError(f"it answered about page {page + 1} of {count}")
            letters = len(fields[-1].strip())
            if letters and confidence >= 0:
                sums[page] += letters * min(confidence, 100.0) / 100, letters
        elif page >= 0:
            texts[page] += row.split()
    return [
        (" ".join(words), float(total / letters)) if words and letters else UNREAD
        for words, (total, letters) in zip(texts, sums, strict=True)
    ]
