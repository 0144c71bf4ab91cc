"""`modstream pack check`, reading: the graphs read, and read a line the same whatever is beside it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.engines import EngineError
from processors.ocr.detection import detection_input
from processors.ocr.models import OcrGraphs, open_graphs
from processors.packs import Pack, PackError

MAX_MOVE = 1e-6
"""How far a line's confidence may move with its neighbours."""

WORDS = ("HELLO WORLD", "NO", "WHO READS THIS")
"""In OpenCV's own font: nothing else need be installed."""

PICTURE_SIDE = 480


def check_reading(pack: Pack) -> Iterator[tuple[str | None, str]]:
    """(field of the manifest, or None for the graphs together; problem), where the pack reads pictures at all."""
    part = pack.manifest.ocr
    if part is None:
        return
    try:
        graphs = open_graphs(pack, None, device="cpu", threads=2)
        if missing := sorted(set(part.reads) - set(graphs.reads)):
            reason = f"{', '.join(missing)}, but the recogniser lacks letters of it; expected {', '.join(graphs.reads)}"
            yield "ocr.reads", reason
        yield from _reading(graphs)
    except (EngineError, PackError) as error:
        yield None, str(error)


def _reading(graphs: OcrGraphs) -> Iterator[tuple[str | None, str]]:
    (found,) = graphs.detector.detect([detection_input(_page(), PICTURE_SIDE)])
    if len(found) != len(WORDS):
        yield "ocr.detection", f"finds {len(found)} lines in a picture of {len(WORDS)}"
    lines = [_line(words) for words in WORDS]
    alone = [graphs.recogniser.read([line])[0] for line in lines]
    together = graphs.recogniser.read([*lines, *lines[::-1]])
    for words, one, other in zip(WORDS, alone, together, strict=False):
        if one.text.replace(" ", "") != words.replace(" ", ""):
            yield "ocr.recognition", f"reads {one.text!r} where {words!r} is written"
        if one.text != other.text or abs(one.confidence - other.confidence) > MAX_MOVE:
            yield "ocr.recognition", f"reads {words!r} otherwise with other lines beside it"


def _line(words: str) -> NDArray[np.uint8]:
    width = 40 + 22 * len(words)
    line = np.full((48, width, 3), 255, np.uint8)
    cv2.putText(line, words, (10, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2, cv2.LINE_AA)
    return line


def _page() -> NDArray[np.uint8]:
    page = np.full((PICTURE_SIDE // 2, PICTURE_SIDE, 3), 255, np.uint8)
    for row, words in enumerate(WORDS):
        line = _line(words)
        page[20 + 70 * row : 68 + 70 * row, 40 : 40 + line.shape[1]] = line
    return page
