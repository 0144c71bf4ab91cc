"""An engine file runs where it belongs, and nowhere else; without TensorRT there is an error that says what to do."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from processors.engines import EngineError
from processors.engines.cuda_buffers import load_cuda
from processors.engines.engine_card import card_of, read_card
from processors.engines.opening import engine_path, open_engine
from processors.engines.tensorrt import TensorRtEngine
from processors.engines.tensorrt_library import load_bindings
from tests.tiny_engine import CONTENT, PROFILES, FakeLibrary, write_engine

FEEDS = {"ids": np.ones((2, 5), np.int64), "mask": np.ones((2, 5), np.int64)}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """(graph, engine file with its card)."""
    graph = tmp_path / "text.onnx"
    graph.write_bytes(b"a graph")
    engine = engine_path(tmp_path / "engines", "text.onnx")
    write_engine(engine, graph)
    return graph, engine


def test_an_engine_is_what_its_card_says(files: tuple[Path, Path]) -> None:
    library = FakeLibrary()
    engine = TensorRtEngine(*files, library=library)
    assert library.opened == [CONTENT]
    assert [spec.name for spec in engine.inputs] == ["ids", "mask"]
    assert engine.outputs[0].shape == (None, 3)
    assert engine.provider == "TensorRT"
    assert {name: value.shape for name, value in engine.run(FEEDS).items()} == {"logits": (2, 3)}


def test_a_run_takes_the_bucket_of_its_shapes(files: tuple[Path, Path]) -> None:
    library = FakeLibrary()
    engine = TensorRtEngine(*files, library=library)
    for count in (3, 12, 8):
        engine.run({name: np.ones((1, count), np.int64) for name in ("ids", "mask")})
    assert [profile for profile, _ in library.ran] == [0, 1, 0]


def test_every_thread_has_one_context_of_its_own(files: tuple[Path, Path]) -> None:
    library = FakeLibrary()
    engine = TensorRtEngine(*files, library=library)
    engine.run(FEEDS)
    engine.run(FEEDS)
    other = threading.Thread(target=lambda: [engine.run(FEEDS) for _ in range(2)])
    other.start()
    other.join()
    assert library.contexts == 2
    assert len({thread for _, thread in library.ran}) == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tensorrt": "10.15.1.29"}, "built with TensorRT 10.15.1.29; here is 11.2.1.2"),
        ({"compute_capability": "8.6"}, r"built for compute capability 8.6 \(Some GPU\); the GPU here has 9.0"),
        ({"graph_sha256": "0" * 64}, "built from a graph with SHA-256 000000.*; the pack's has"),
        ({"engine_sha256": "0" * 64}, "SHA-256 .* expected 00000.*, as its card says"),
        ({"profiles": PROFILES[:1]}, "2 buckets; expected 1, as its card says"),
        ({"outputs": ()}, "its tensors are ids, mask, logits; expected those of its card"),
    ],
)
def test_an_engine_of_another_graph_gpu_or_version_is_refused_and_how_to_mend_it_is_said(
    files: tuple[Path, Path], changes: dict[str, Any], reason: str
) -> None:
    graph, engine = files
    write_engine(engine, graph, **changes)
    with pytest.raises(EngineError, match=f"{engine.name}: {reason}.*modstream pack build"):
        TensorRtEngine(graph, engine, library=FakeLibrary())


def test_nothing_of_a_misfit_reaches_tensorrt(files: tuple[Path, Path]) -> None:
    graph, engine = files
    engine.write_bytes(b"something else")
    library = FakeLibrary()
    with pytest.raises(EngineError, match="SHA-256"):
        TensorRtEngine(graph, engine, library=library)
    assert library.opened == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda card: card.unlink(), "No such file or directory; expected a card beside text.plan"),
        (lambda card: card.write_bytes(b"\xff\x00"), "expected the card of an engine"),
        (lambda card: card.write_text('{"schema": "engine/2"}'), "engine/2"),
        (lambda card: card.write_bytes(b" " * 300_000), "over 262,144 bytes"),
    ],
)
def test_a_card_that_is_none_is_one_clear_sentence(
    files: tuple[Path, Path], spoil: Callable[[Path], object], reason: str
) -> None:
    spoil(card_of(files[1]))
    with pytest.raises(EngineError, match=reason):
        read_card(files[1])


@pytest.mark.parametrize(
    ("feeds", "reason"),
    [
        ({"ids": FEEDS["ids"]}, "no input 'mask'"),
        ({**FEEDS, "mask": FEEDS["mask"].astype(np.int32)}, "input 'mask' is int32; expected int64"),
        ({name: np.ones((1, 99), np.int64) for name in FEEDS}, "no bucket takes ids 1x99"),
    ],
)
def test_feeds_that_do_not_fit_are_named(files: tuple[Path, Path], feeds: dict[str, Any], reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        TensorRtEngine(*files, library=FakeLibrary()).run(feeds)


def test_a_run_that_fails_names_the_engine(files: tuple[Path, Path]) -> None:
    engine = TensorRtEngine(*files, library=FakeLibrary(failure="TensorRT refuses the run"))
    with pytest.raises(EngineError, match=r"text\.plan: TensorRT refuses the run"):
        engine.run(FEEDS)


def test_without_tensorrt_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        if name == "tensorrt_bindings":
            raise ImportError("libnvinfer.so.11: cannot open shared object file")
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(EngineError, match=r"no module tensorrt; tensorrt_bindings: libnvinfer.*: install the wheel"):
        load_bindings()


def test_a_tensorrt_of_another_interface_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(__version__="8.6.1"))
    with pytest.raises(EngineError, match=r"TensorRT 8\.6\.1; expected version 10 to 11"):
        load_bindings()


def test_a_machine_without_a_gpu_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = SimpleNamespace(cudaGetDeviceCount=lambda: (35, None))
    monkeypatch.setattr(importlib, "import_module", lambda _: runtime)
    with pytest.raises(EngineError, match="no GPU to be seen"):
        load_cuda()


def test_engines_are_for_the_device_tensorrt_alone(files: tuple[Path, Path]) -> None:
    graph, engine = files
    with pytest.raises(EngineError, match="the device is 'cpu'; expected tensorrt"):
        open_engine(graph.parent, graph.name, engines=engine.parent)


def test_where_engines_are_asked_for_there_is_no_way_back_to_onnx_runtime(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, engine = files
    monkeypatch.setattr("processors.engines.tensorrt.load_library", FakeLibrary)
    opened = open_engine(graph.parent, graph.name, device="tensorrt", engines=engine.parent)
    assert opened.provider == "TensorRT"
    engine.unlink()
    with pytest.raises(EngineError, match="expected an engine beside its card"):
        open_engine(graph.parent, graph.name, device="tensorrt", engines=engine.parent)
