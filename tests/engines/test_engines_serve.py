"""Where a folder of engines is named, the chain runs on them and says so; where one is missing, it does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.chain import ChainOptions, Models, build_chain, run_chain
from processors.encode import EncodeProcessor
from processors.engines import EngineError
from processors.engines.opening import engine_path
from processors.media.pictures import PictureReader
from processors.media.store import MediaStore
from processors.pack.features import FEATURES
from processors.packs import Pack, load_pack
from processors.policy import load_policy
from schemas import Decision, Record
from streams.assembly import options_of
from streams.settings import load_settings
from tests.ingested import post_of, received
from tests.tiny_engine import RunningLibrary, write_running_engine
from tests.tiny_image import SIDE, add_tiny_image
from tests.tiny_pack import write_tiny_pack

POLICY = Path(__file__).parents[2] / "policies" / "default.yaml"
POSTS = ("hello world, good day", "you are all scum", "the cat sat on the mat . " * 60)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return load_pack(add_tiny_image(write_tiny_pack(tmp_path / "pack")))


@pytest.fixture
def engines(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an engine of each graph, on a machine that has the TensorRT and the GPU for them."""
    monkeypatch.setattr("processors.engines.tensorrt.load_library", RunningLibrary)
    folder = tmp_path / "engines"
    texts = (64, pack.layout.window_tokens)
    write_running_engine(engine_path(folder, "text.onnx"), pack.graph, {"ids": texts, "mask": texts})
    write_running_engine(
        engine_path(folder, "image.onnx"), pack.folder / "image.onnx", {"pictures": (64, 3, SIDE, SIDE)}
    )
    return folder


def decisions(pack: Pack, options: ChainOptions) -> list[Decision]:
    chain = build_chain(options, Models(pack, load_policy(POLICY, pack.thresholds, FEATURES)))
    found: list[Decision] = []
    for outcome in run_chain(chain, [received(post_of(text)) for text in POSTS]):
        assert isinstance(outcome, Record)
        assert outcome.decision is not None
        found.append(outcome.decision)
    return found


def on_engines(engines: Path) -> ChainOptions:
    """As a worker with these settings has them."""
    env = {"MODSTREAM_WORKER__ENGINES": str(engines), "MODSTREAM_WORKER__DEVICE": "tensorrt"}
    return options_of(load_settings(env=env).settings, "test", 0)


def test_a_worker_with_engines_decides_on_them_and_decisions_say_so(pack: Pack, engines: Path) -> None:
    native = decisions(pack, on_engines(engines))
    on_cpu = decisions(pack, ChainOptions(code="test"))
    assert [decision.versions.engines for decision in native] == [{"text": "TensorRT"}] * len(POSTS)
    assert [decision.labels for decision in native] == [decision.labels for decision in on_cpu]


def test_pictures_are_looked_at_by_their_engine_too(pack: Pack, engines: Path, tmp_path: Path) -> None:
    pictures = PictureReader(MediaStore.open(f"file://{tmp_path / 'store'}"))
    processor = EncodeProcessor.of(pack, pictures, device="tensorrt", engines=engines)
    assert {graph: provider for graph, (provider, _) in processor.engines().items()} == {
        "text": "TensorRT",
        "image": "TensorRT",
    }


@pytest.mark.parametrize("graph", ["text", "image"])
def test_a_graph_without_its_engine_stops_the_start(pack: Pack, engines: Path, graph: str, tmp_path: Path) -> None:
    engine_path(engines, f"{graph}.onnx").unlink()
    pictures = PictureReader(MediaStore.open(f"file://{tmp_path / 'store'}"))
    with pytest.raises(EngineError, match=rf"{graph}\.plan: .*expected an engine beside its card: build it anew"):
        EncodeProcessor.of(pack, pictures, device="tensorrt", engines=engines)


def test_an_engine_of_another_gpu_stops_the_start(pack: Pack, engines: Path) -> None:
    texts = (64, pack.layout.window_tokens)
    write_running_engine(
        engine_path(engines, "text.onnx"), pack.graph, {"ids": texts, "mask": texts}, compute_capability="8.6"
    )
    with pytest.raises(EngineError, match=r"text\.plan: built for compute capability 8\.6 .*the GPU here has 9\.0"):
        decisions(pack, on_engines(engines))
