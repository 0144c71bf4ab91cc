"""ONNX Runtime runs a graph where it was told to, or says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from processors.engines import Device, EngineError, OnnxEngine, TensorSpec
from tests.tiny_pack import write_graph


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "text.onnx"
    write_graph(path)
    return path


def test_a_graph_runs_and_gives_its_outputs_by_name(graph: Path) -> None:
    engine = OnnxEngine(graph)
    outputs = engine.run({"ids": np.array([[0, 5, 2]]), "mask": np.array([[1, 1, 1]])})
    assert {name: value.shape for name, value in outputs.items()} == {"logits": (1, 3), "pooled": (1, 8)}
    assert engine.provider == "CPUExecutionProvider"


def test_inputs_and_outputs_are_described(graph: Path) -> None:
    engine = OnnxEngine(graph)
    assert engine.inputs == (TensorSpec("ids", "int64", (None, None)), TensorSpec("mask", "int64", (None, None)))
    assert engine.outputs == (TensorSpec("logits", "float32", (None, 3)), TensorSpec("pooled", "float32", (None, 8)))


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_a_device_that_the_build_lacks_is_an_error_that_says_what_to_install(
    graph: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match=rf"device '{device}' needs the \w+ .*install onnxruntime-gpu"):
        OnnxEngine(graph, device=device)


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_provider_that_does_not_load_is_an_error_and_no_fall_back(
    graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a build with CUDA says on a machine whose CUDA libraries are missing: listed, then not there.
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    with pytest.raises(EngineError, match="CUDAExecutionProvider"):
        OnnxEngine(graph, device="cuda")


def test_a_graph_that_runs_mostly_elsewhere_is_an_error(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Node:
        def __init__(self, provider: str, count: int) -> None:
            self.ep_name = provider
            self._count = count

        def get_nodes(self) -> list[object]:
            return [object()] * self._count

    class Session(onnxruntime.InferenceSession):
        def __init__(self, path: str, options: object, **_: object) -> None:
            super().__init__(path, options, providers=["CPUExecutionProvider"])

        def get_providers(self) -> list[str]:
            return ["CUDAExecutionProvider", "CPUExecutionProvider"]

        def get_provider_graph_assignment_info(self) -> list[Node]:
            return [Node("CUDAExecutionProvider", 2), Node("CPUExecutionProvider", 5)]

    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    with pytest.raises(EngineError, match="only 29% of its nodes run on CUDAExecutionProvider"):
        OnnxEngine(graph, device="cuda")


def test_a_graph_that_is_none_and_one_that_is_missing_are_errors_with_their_path(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x00\x01")
    for name in ("broken.onnx", "missing.onnx"):
        with pytest.raises(EngineError, match=rf"{name}: cannot be loaded"):
            OnnxEngine(tmp_path / name)


def test_wrong_feeds_are_an_engine_error_with_the_graphs_name(graph: Path) -> None:
    engine = OnnxEngine(graph)
    with pytest.raises(EngineError, match=r"text\.onnx: .*mask"):
        engine.run({"ids": np.array([[0]])})
    with pytest.raises(EngineError, match=r"text\.onnx: "):
        engine.run({"ids": np.array([[10**6]]), "mask": np.array([[1]])})


def test_no_threads_are_refused(graph: Path) -> None:
    with pytest.raises(EngineError, match="expected at least 1"):
        OnnxEngine(graph, threads=0)
