"""Engines of a pack: a bucket for every shape that serving asks for, and a card that binds each to its graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import pytest

from models_export.tensorrt.buckets import buckets_of, doubling, vad_buckets
from models_export.tensorrt.build import Wanted, build_engines
from processors.engines import EngineError
from processors.engines.engine_card import card_of, read_card
from processors.engines.opening import engine_path
from processors.engines.profiles import Profile, choose
from processors.engines.tensorrt import TensorRtEngine
from processors.ocr.detection import detection_size
from processors.ocr.models import GPU_RUNS
from processors.ocr.recognition import MAX_WIDTH, MIN_WIDTH, bucket_width
from processors.packs import load_pack
from processors.packs.check import Level, Problem, check_pack
from tests.tiny_engine import CONTENT, FakeLibrary
from tests.tiny_pack import write_tiny_pack

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "embedded"


@dataclass
class FakeBuilder:
    """Takes what TensorRT would; its engines are a few bytes."""

    tensorrt: str = "11.2.1.2"
    compute_capability: str = "9.0"
    gpu: str = "Some GPU"
    failure: str = ""
    caches: list[bytes] = field(default_factory=list[bytes])
    opsets: list[str] = field(default_factory=list[str])

    def build(self, model: bytes, profiles: Sequence[Profile], cache: bytes, /) -> tuple[bytes, bytes]:
        if self.failure:
            raise EngineError(self.failure)
        parsed = onnx.load_from_string(model)
        self.opsets += [opset.domain for opset in parsed.opset_import]
        self.caches.append(cache)
        return CONTENT, cache + b"."


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, FakeBuilder]:
    folder = write_tiny_pack(tmp_path / "tiny", isolation="batch")
    # The voice detection's own graph takes long, and is faster-whisper's.
    monkeypatch.setattr("models_export.tensorrt.build.vad_graph", lambda: folder / "text.onnx")
    monkeypatch.setattr("models_export.tensorrt.build.vad_buckets", lambda: buckets_of(load_pack(folder).manifest)[0])
    builder = FakeBuilder()
    build_engines(folder, Wanted(), builder=builder, report=lambda _: None)
    return folder, builder


def test_an_engine_that_was_built_opens_where_it_was_built(built: tuple[Path, FakeBuilder]) -> None:
    folder, _ = built
    engine = TensorRtEngine(
        folder / "text.onnx", engine_path(folder / "engines", "text.onnx"), library=_library(folder)
    )
    assert [spec.name for spec in engine.inputs] == ["ids", "mask"]


def _library(folder: Path) -> Any:
    card = read_card(engine_path(folder / "engines", "text.onnx"))
    library = FakeLibrary(profiles=len(card.profiles))
    plan = library.open(b"")
    plan.outputs = ("logits", "pooled")
    library.open = lambda content, /: plan
    return library


def test_builds_share_a_timing_cache(built: tuple[Path, FakeBuilder]) -> None:
    assert built[1].caches == [b"", b"."]
    assert (built[0] / "engines" / "timing.cache").read_bytes() == b".."


def test_a_build_that_fails_names_the_graph_and_leaves_no_engine(tmp_path: Path) -> None:
    folder = write_tiny_pack(tmp_path / "tiny", isolation="batch")
    with pytest.raises(EngineError, match="text: TensorRT cannot read the graph"):
        build_engines(
            folder, Wanted(), builder=FakeBuilder(failure="TensorRT cannot read the graph"), report=lambda _: None
        )
    assert not list(folder.rglob("*.plan*"))


def errors(folder: Path) -> list[Problem]:
    return [problem for problem in check_pack(folder) if problem.level is Level.ERROR]


def test_the_check_takes_engines_and_says_what_it_cannot_tell(
    built: tuple[Path, FakeBuilder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.packs.engine_check.load_library", _no_gpu)
    assert errors(built[0]) == []
    assert any("cannot be told here: no GPU to be seen" in problem.message for problem in check_pack(built[0]))


def _no_gpu() -> Any:
    raise EngineError("no GPU to be seen")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda engine: engine.write_bytes(b"another"), "as its card says"),
        (lambda engine: card_of(engine).unlink(), "expected a card beside text.plan"),
        (lambda engine: engine.rename(engine.with_name("other.plan")), "no engine of a graph of this pack"),
        (lambda engine: (engine.parent / "hook.so").write_bytes(b"code"), "no engine of a graph of this pack"),
    ],
)
def test_the_check_finds_engines_that_do_not_belong(built: tuple[Path, FakeBuilder], spoil: Any, reason: str) -> None:
    spoil(engine_path(built[0] / "engines", "text.onnx"))
    assert [reason in problem.message for problem in errors(built[0])] == [True]


def test_the_check_compares_with_the_gpu_where_there_is_one(
    built: tuple[Path, FakeBuilder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.packs.engine_check.load_library", lambda: FakeLibrary(compute_capability="8.9"))
    [problem] = errors(built[0])
    assert "built for compute capability 9.0 (Some GPU); the GPU here has 8.9" in problem.message


def shipped(name: str) -> tuple[Profile, ...]:
    return next(one.buckets for one in buckets_of(load_pack(SHIPPED).manifest) if one.name == name)


def test_every_graph_that_serves_on_a_gpu_has_buckets() -> None:
    names = {one.name for one in buckets_of(load_pack(SHIPPED).manifest)}
    assert {"text", "image", "ocr.detection", "ocr.recognition"} <= names


@pytest.mark.parametrize("tokens", [1, 16, 32, 33, 64, 80, 96])
def test_every_window_of_text_has_a_bucket(tokens: int) -> None:
    at = choose(shipped("text"), dict.fromkeys(("ids", "mask"), (64, tokens)))
    assert at == (0 if tokens <= 32 else 1 if tokens <= 64 else 2)


@pytest.mark.parametrize("size", [(1, 1), (40, 4_000), (448, 448), (720, 1_280), (6_000, 6_000), (1_010, 990)])
def test_every_picture_has_a_bucket_at_its_detection_size(size: tuple[int, int]) -> None:
    width, height = detection_size(*size, 1_024)
    choose(shipped("ocr.detection"), {"x": (GPU_RUNS.pictures, 3, height, width)})


@pytest.mark.parametrize("width", [1, MIN_WIDTH, 97, 200, 777, 1_500, MAX_WIDTH])
def test_every_run_that_the_recogniser_fills_has_a_bucket(width: int) -> None:
    padded = bucket_width(width)
    choose(shipped("ocr.recognition"), {"x": (max(1, GPU_RUNS.columns // padded), 3, 48, padded)})


@pytest.mark.parametrize("steps", [1, 128, 938, 10_000])
def test_every_sound_has_a_bucket(steps: int) -> None:
    choose(vad_buckets().buckets, {"input": (steps, 576), "h": (1, 1, 128), "c": (1, 1, 128)})


def test_edges_double_up_to_the_last() -> None:
    assert doubling(32, 96) == (32, 64, 96)
    assert doubling(32, 512) == (32, 64, 128, 256, 512)
    assert doubling(96, 48) == (48,)
