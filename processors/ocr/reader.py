"""Reading pictures: detection, scripts, recognition, for many pictures together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from processors.ocr.boxes import Region
from processors.ocr.crops import cut_line, in_reading_direction, side_lengths, turned
from processors.ocr.detection import Detector, detection_input
from processors.ocr.lanes import Lanes
from processors.ocr.quality import FoundLine, overrules
from processors.ocr.recognition import Recogniser
from processors.ocr.script import COMMON, NO_WRITING

Pixels = NDArray[np.uint8]

DOUBT = 0.9
"""A line read with less confidence is read again from its other end. Of lines in memes 6% are; of the same lines
standing on their head 98% (measured on 210)."""

SURE = 0.8
"""The other reading is taken from this confidence on, where it is the better one: two readings of what is no writing
differ by chance, and the better of them must not pass for writing."""


UNWRITTEN = (COMMON, NO_WRITING)
"""What every recogniser may try: digits, and what is taken for no writing, which its reading may prove wrong."""


class ScriptTeller(Protocol):
    def identify(self, crops: Sequence[Pixels], /) -> list[tuple[str, float]]:
        """(ISO 15924 code, probability) of each line: a script that the recogniser does not read only where that is
        certain enough."""
        ...


class LineReader(Protocol):
    """Reads lines in scripts that the recogniser lacks."""

    @property
    def scripts(self) -> Collection[str]:
        """ISO 15924 codes."""
        ...

    def read(self, crops: Sequence[Pixels], script: str, /) -> list[tuple[str, float]]:
        """(text, confidence 0..1) of each line, all of one script."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ReadingInput:
    """A picture, and what detection sees of it. Made ahead, on any thread."""

    picture: Pixels
    small: Pixels

    @classmethod
    def of(cls, picture: Pixels, side: int) -> ReadingInput:
        return cls(picture, detection_input(picture, side))


@dataclass(frozen=True, slots=True, eq=False)
class FoundLines:
    """What was found in one picture, in no order."""

    lines: tuple[FoundLine, ...]
    left_out: int
    """Lines found beyond the limit: the smallest."""


class Reader:
    """Finds and reads lines. A picture reads the same alone and in any batch. Safe to call from several threads."""

    def __init__(
        self,
        detector: Detector,
        recogniser: Recogniser,
        lanes: Lanes,
        *,
        reads: Sequence[str],
        max_lines: int,
        scripts: ScriptTeller | None = None,
        other: LineReader | None = None,
    ) -> None:
        """`reads`: scripts that the recogniser reads. `scripts`: without it, every line counts as one of those.
        `other`: for scripts that it does not read."""
        self._detector = detector
        self._recogniser = recogniser
        self._lanes = lanes
        self._reads = frozenset(reads)
        self._max_lines = max_lines
        self._scripts = scripts
        self._other = other

    def read(self, inputs: Sequence[ReadingInput]) -> list[FoundLines]:
        """What is written in each picture. Raises `EngineError`."""
        regions = self._detector.detect([item.small for item in inputs])
        kept = [self._largest(found) for found in regions]
        jobs = [(at, item, found) for at, (item, found) in enumerate(zip(inputs, kept, strict=True)) if found]
        cut = self._lanes.map(self._cut, jobs, cost=lambda job: len(job[2]))
        lines = self._ask_other(self._turn(self._recognise([line for found in cut for line in found])))
        by_picture: list[list[FoundLine]] = [[] for _ in inputs]
        for line in lines:
            by_picture[line.picture].append(line.found)
        return [
            FoundLines(tuple(own), len(found) - len(largest))
            for own, found, largest in zip(by_picture, regions, kept, strict=True)
        ]

    def _largest(self, regions: Sequence[Region]) -> list[Region]:
        def area(region: Region) -> float:
            width, height = side_lengths(region.quad)
            return width * height

        return sorted(regions, key=area, reverse=True)[: self._max_lines]

    def _cut(self, job: tuple[int, ReadingInput, Sequence[Region]]) -> list[_Line]:
        at, item, regions = job
        (height, width), (small_height, small_width) = item.picture.shape[:2], item.small.shape[:2]
        scale = np.array([width / small_width, height / small_height], np.float32)
        lines: list[_Line] = []
        for region in regions:
            quad = in_reading_direction(region.quad * scale)
            crop = cut_line(item.picture, quad, self._recogniser.height)
            lines.append(_Line(at, FoundLine(quad, region.score), crop))
        return lines

    def _recognise(self, lines: Sequence[_Line]) -> list[_Line]:
        """The lines as the recogniser reads them, with their scripts."""
        crops = [line.crop for line in lines]
        told = self._scripts.identify(crops) if self._scripts and crops else []
        scripts = [script for script, _ in told] if told else [None] * len(lines)
        results: list[_Line] = []
        for line, script, reading in zip(lines, scripts, self._recogniser.read(crops), strict=True):
            found = replace(line.found, text=reading.text, confidence=reading.confidence)
            if script is not None and (self._known(script) or not overrules(found, script)):
                found = replace(found, script=script, readable=self._known(script))
            results.append(replace(line, found=found))
        return results

    def _known(self, script: str) -> bool:
        return script in self._reads or script in UNWRITTEN

    def _turn(self, lines: Sequence[_Line]) -> list[_Line]:
        """The lines, those that stand on their head read from the other end.

        A picture most of whose lines do so is turned as a whole: then the others are looked at again as well.
        """
        doubtful = [at for at, line in enumerate(lines) if not line.found.readable or line.found.confidence < DOUBT]
        results = self._better(lines, doubtful)
        balance: dict[int, int] = {}
        for before, after in zip(lines, results, strict=True):
            balance[after.picture] = balance.get(after.picture, 0) + (1 if after is not before else -1)
        seen = set(doubtful)
        rest = [at for at, line in enumerate(results) if balance[line.picture] > 0 and at not in seen]
        return self._better(results, rest)

    def _better(self, lines: Sequence[_Line], chosen: Sequence[int]) -> list[_Line]:
        """The lines; of the chosen ones, the reading from the other end where that is better, and sure."""
        results = list(lines)
        for at, other in zip(chosen, self._recognise([lines[at].turned() for at in chosen]), strict=True):
            before, after = lines[at].found, other.found
            better = (
                after.confidence >= SURE and after.confidence > before.confidence
                if before.readable
                else (after.confidence >= DOUBT)
            )
            if after.readable and better:
                results[at] = other
        return results

    def _ask_other(self, lines: Sequence[_Line]) -> list[_Line]:
        """The lines in other scripts, read where there is somebody who can."""
        results = list(lines)
        if self._other is None:
            return results
        by_script: dict[str, list[int]] = {}
        for at, line in enumerate(lines):
            script = line.found.script
            if not line.found.readable and script is not None and script in self._other.scripts:
                by_script.setdefault(script, []).append(at)
        for script, members in by_script.items():
            readings = self._other.read([lines[at].crop for at in members], script)
            for at, (text, confidence) in zip(members, readings, strict=True):
                found = replace(lines[at].found, text=text, confidence=confidence, readable=True)
                results[at] = replace(lines[at], found=found)
        return results


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A line on its way."""

    picture: int
    found: FoundLine
    crop: Pixels

    def turned(self) -> _Line:
        """The line as seen from its other end, unread."""
        quad = turned(self.found.quad)
        return _Line(self.picture, FoundLine(quad, self.found.score), np.ascontiguousarray(self.crop[::-1, ::-1]))
