"""The native calls in their order, on a CUDA whose GPU memory is this machine's and a TensorRT that doubles numbers."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from processors.engines import EngineError
from processors.engines.cuda_buffers import Buffers, Cuda
from processors.engines.tensorrt_library import _Library


class HostCuda:
    """CUDA's runtime as far as it is used; every status is 0 unless a call is named in `failing`."""

    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)  # noqa: N815

    def __init__(self) -> None:
        self.blocks: dict[int, Any] = {}
        self.failing: set[str] = set()
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> tuple[Any, ...]:
            self.calls.append(name)
            if name in self.failing:
                return (2, None)
            return (0, *self._done(name, arguments))

        return call

    def _done(self, name: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
        match name:
            case "cudaGetDeviceProperties":
                return (SimpleNamespace(major=9, minor=0, name=b"Some GPU\0\0"),)
            case "cudaStreamCreate":
                return (7,)
            case "cudaMalloc" | "cudaMallocHost":
                block = ctypes.create_string_buffer(arguments[0])
                self.blocks[ctypes.addressof(block)] = block
                return (ctypes.addressof(block),)
            case "cudaFree" | "cudaFreeHost":
                del self.blocks[arguments[0]]
            case "cudaMemcpyAsync":
                ctypes.memmove(arguments[0], arguments[1], arguments[2])
            case _:
                pass
        return ()


class DoublingContext:
    def __init__(self) -> None:
        self.profiles: list[int] = []
        self.shape: tuple[int, ...] = ()
        self.at: dict[str, int] = {}
        self.refused = ""

    def set_optimization_profile_async(self, profile: int, stream: int) -> bool:
        assert stream == 7
        self.profiles.append(profile)
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shape = shape
        return self.refused != "shape"

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.at[name] = address
        return True

    def infer_shapes(self) -> list[str]:
        return []

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.shape if self.refused != "values" else (-1,)

    def execute_async_v3(self, stream: int) -> bool:
        count = int(np.prod(self.shape))
        source, target = ((ctypes.c_float * count).from_address(self.at[name]) for name in ("x", "y"))
        target[:] = [2 * value for value in source]
        return self.refused != "run"


def doubling(context: DoublingContext) -> Any:
    engine = SimpleNamespace(
        num_io_tensors=2,
        num_optimization_profiles=2,
        get_tensor_name=lambda at: ("x", "y")[at],
        get_tensor_mode=lambda name: {"x": "in", "y": "out"}[name],
        get_tensor_dtype=lambda _: "float",
        create_execution_context=lambda: context,
    )
    runtime = SimpleNamespace(deserialize_cuda_engine=lambda content: engine if content == b"good" else None)
    logger: Any = lambda _: None  # noqa: E731
    logger.ERROR = 0
    return SimpleNamespace(
        __version__="11.2.1.2",
        Logger=logger,
        Runtime=lambda _: runtime,
        TensorIOMode=SimpleNamespace(INPUT="in"),
        nptype=lambda _: np.float32,
    )


def test_what_is_put_in_comes_out_doubled_whatever_its_shape() -> None:
    cuda, context = HostCuda(), DoublingContext()
    plan = _Library(doubling(context), Cuda(cuda)).open(b"good")
    assert (plan.inputs, plan.outputs, plan.profiles) == (("x",), ("y",), 2)
    running = plan.context()
    for profile, shape in ((0, (2, 3)), (0, (1, 1)), (1, (300, 500)), (0, (2, 3))):
        x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        np.testing.assert_array_equal(running.run(profile, {"x": x})["y"], 2 * x)
    assert context.profiles == [0, 1, 0]
    assert cuda.calls.count("cudaStreamSynchronize") == 4


def test_a_result_is_a_copy_that_the_next_run_does_not_change() -> None:
    running = _Library(doubling(DoublingContext()), Cuda(HostCuda())).open(b"good").context()
    first = running.run(0, {"x": np.ones((2, 2), np.float32)})["y"]
    running.run(0, {"x": np.zeros((2, 2), np.float32)})
    assert first.tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize(
    ("refused", "reason"),
    [("shape", r"refuses the shape \(2,\) of x"), ("values", "depends on values"), ("run", "refuses the run")],
)
def test_what_tensorrt_refuses_is_an_error(refused: str, reason: str) -> None:
    context = DoublingContext()
    context.refused = refused
    running = _Library(doubling(context), Cuda(HostCuda())).open(b"good").context()
    with pytest.raises(EngineError, match=reason):
        running.run(0, {"x": np.ones(2, np.float32)})


def test_a_file_that_tensorrt_does_not_take_is_an_error() -> None:
    with pytest.raises(EngineError, match="does not take the engine"):
        _Library(doubling(DoublingContext()), Cuda(HostCuda())).open(b"bad")


def test_a_call_that_fails_is_named() -> None:
    cuda = HostCuda()
    running = _Library(doubling(DoublingContext()), Cuda(cuda)).open(b"good").context()
    cuda.failing = {"cudaMalloc"}
    with pytest.raises(EngineError, match="CUDA's cudaMalloc failed: 2"):
        running.run(0, {"x": np.ones(2, np.float32)})


def test_buffers_grow_and_nothing_is_left_behind() -> None:
    cuda = HostCuda()
    buffers = Buffers(Cuda(cuda))
    small, large = np.arange(10.0), np.arange(100_000.0)
    for array in (small, large, small):
        buffers.upload("x", array)
        buffers.fetch("x")
        np.testing.assert_array_equal(buffers.taken("x"), array)
    assert cuda.calls.count("cudaMalloc") == 2
    buffers.free()
    assert cuda.blocks == {}


def test_a_gpu_is_known_by_its_capability_and_name() -> None:
    cuda = Cuda(HostCuda())
    assert (cuda.compute_capability, cuda.gpu) == ("9.0", "Some GPU")
