"""Where text is found: PP-OCR's own graph on drawn pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.engines import EngineError
from processors.ocr.boxes import Region
from processors.ocr.detection import STRIDE, Detector, detection_input, detection_size
from processors.ocr.graph_config import read_detection_config
from processors.ocr.lanes import Lanes
from processors.ocr.models import OcrGraphs
from processors.packs import Pack
from tests.drawn import picture_of

SIDE = 1_024


def drawn(*lines: str, size: int = 32) -> NDArray[np.uint8]:
    return detection_input(np.asarray(picture_of(*lines, size=size)), SIDE)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(320, 4_096))
def test_pictures_fit_the_network(width: int, height: int, side: int) -> None:
    found = detection_size(width, height, side)
    assert all(length % STRIDE == 0 and length > 0 for length in found)
    assert max(found) <= side + STRIDE / 2


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ((1024, 768), (1024, 768)),
        ((2048, 1536), (1024, 768)),  # never more than the side
        ((448, 300), (448, 288)),  # small ones are left as they are
        ((100, 40), (256, 96)),  # and tiny ones enlarged
        ((1, 1), (32, 32)),
        ((8000, 2), (1024, 32)),
    ],
)
def test_only_tiny_pictures_are_enlarged(size: tuple[int, int], found: tuple[int, int]) -> None:
    assert detection_size(*size, SIDE) == found


def test_each_line_is_found_once(graphs: OcrGraphs) -> None:
    (regions,) = graphs.detector.detect([drawn("Good morning", "to everybody", "who reads this")])
    assert len(regions) == 3
    assert all(region.score > 0.7 for region in regions)
    tops = sorted(float(region.quad[0, 1]) for region in regions)
    assert [round(top / 60) for top in tops] == [0, 1, 2]


def test_nothing_is_found_where_nothing_is_written(graphs: OcrGraphs) -> None:
    white = np.full((320, 320, 3), 255, np.uint8)
    ramp = np.tile(np.arange(320, dtype=np.uint8)[:, None, None], (1, 320, 3))
    assert graphs.detector.detect([white, ramp]) == [[], []]


def same(one: list[Region], other: list[Region]) -> bool:
    return len(one) == len(other) and all(
        (left.quad == right.quad).all() and left.score == pytest.approx(right.score, abs=1e-6)
        for left, right in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("rows", [1, 4])
def test_a_picture_has_the_same_lines_alone_and_in_any_batch(embedded: Pack, graphs: OcrGraphs, rows: int) -> None:
    """One by one as on a CPU, and several in a run as on a GPU."""
    part = embedded.manifest.ocr
    assert part is not None
    config = read_detection_config(embedded.folder / part.detection.config.path)
    detector = Detector(graphs.detection, config, Lanes(2), max_rows=rows)
    pictures = [
        drawn("short"),
        drawn("one", "and another"),
        drawn("hello"),
        drawn("another one that is longer"),
        drawn("big", size=48),
        drawn("small", "smaller", "smallest", size=14),
    ]
    alone = [detector.detect([picture])[0] for picture in pictures]
    assert all(alone)
    for together in (detector.detect(pictures), detector.detect(pictures[::-1])[::-1]):
        assert all(same(one, other) for one, other in zip(alone, together, strict=True))


def test_a_graph_that_gives_no_numbers_is_an_error(graphs: OcrGraphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs.detection, "run", lambda batch: np.full((len(batch), 1, 64, 64), np.nan, np.float32))
    with pytest.raises(EngineError, match="not finite"):
        graphs.detector.detect([drawn("hello")])
