"""Pictures are read on engines where a folder of them is named: the pack's graphs alone, and all sizes of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.engines import EngineError
from processors.engines.opening import engine_path
from processors.media.pictures import PictureReader
from processors.media.store import MediaStore
from processors.ocr import OcrOptions, OcrProcessor
from processors.ocr.recognition import MAX_WIDTH
from processors.packs import Pack
from tests.tiny_engine import RunningLibrary, write_running_engine

SIDE = 480
OPTIONS = OcrOptions(detection_side=SIDE)


@pytest.fixture
def pictures(tmp_path: Path) -> PictureReader:
    return PictureReader(MediaStore.open(f"file://{tmp_path / 'store'}"))


def engines_for(pack: Pack, folder: Path, *, side: int) -> Path:
    part = pack.manifest.ocr
    assert part is not None
    graphs = ((part.detection, (8, 3, side, side)), (part.recognition, (128, 3, 48, MAX_WIDTH)))
    for models, most in graphs:
        path = models.graph.path
        write_running_engine(engine_path(folder, path), pack.folder / path, {"x": most})
    return folder


def test_both_graphs_run_on_their_engines(
    embedded: Pack, pictures: PictureReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.engines.tensorrt.load_library", RunningLibrary)
    engines = engines_for(embedded, tmp_path / "engines", side=SIDE)
    processor = OcrProcessor.of(embedded, pictures, options=OPTIONS, device="tensorrt", threads=1, engines=engines)
    providers = {graph: provider for graph, (provider, _) in processor.engines().items()}
    assert providers == {"detection": "TensorRT", "recognition": "TensorRT"}


def test_engines_for_smaller_pictures_than_the_setting_allows_stop_the_start(
    embedded: Pack, pictures: PictureReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.engines.tensorrt.load_library", RunningLibrary)
    engines = engines_for(embedded, tmp_path / "engines", side=SIDE - 32)
    with pytest.raises(
        EngineError, match=r"inference\.plan: no bucket takes x 1x3x480x480; expected one of: x .*1\.\.448"
    ):
        OcrProcessor.of(embedded, pictures, options=OPTIONS, device="tensorrt", threads=1, engines=engines)


def test_other_graphs_than_the_packs_have_no_engines(embedded: Pack, pictures: PictureReader, tmp_path: Path) -> None:
    options = OcrOptions(models=embedded.folder / "ocr")
    with pytest.raises(EngineError, match=r"expected only one of the settings worker\.engines and ocr\.models"):
        OcrProcessor.of(embedded, pictures, options=options, device="tensorrt", threads=1, engines=tmp_path)
