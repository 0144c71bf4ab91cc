"""Memory on a GPU and beside it, by CUDA's runtime: the little that engines need, with its errors said in words."""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engines.engine import EngineError
from processors.engines.profiles import Shape

MODULE = "cuda.bindings.runtime"
_GRANULE = 1 << 16
"""Buffers grow in steps of 64 KiB, so that lengths which differ a little share one."""


class Cuda:
    """CUDA's runtime, on the first GPU that it shows this process."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        properties = self.call("cudaGetDeviceProperties", 0)
        self.compute_capability = f"{properties.major}.{properties.minor}"
        name = properties.name
        self.gpu = (name.decode(errors="replace") if isinstance(name, bytes) else str(name)).rstrip("\0")

    def call(self, name: str, *arguments: Any) -> Any:
        """The value of a call, None where it has none. Raises `EngineError`."""
        status, *values = getattr(self._runtime, name)(*arguments)
        if int(status) != 0:
            raise EngineError(f"CUDA's {name} failed: {status!s}")
        return values[0] if values else None

    def copy(self, target: int, source: int, size: int, stream: int, *, up: bool) -> None:
        kinds = self._runtime.cudaMemcpyKind
        kind = kinds.cudaMemcpyHostToDevice if up else kinds.cudaMemcpyDeviceToHost
        self.call("cudaMemcpyAsync", target, source, size, kind, stream)


def load_cuda() -> Cuda:
    """Raises `EngineError` where the bindings, the driver or a GPU is missing."""
    try:
        runtime: Any = importlib.import_module(MODULE)
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineError(
            f"CUDA's Python bindings cannot be had ({error}): install cuda-bindings, or set the device to cpu"
        ) from None
    try:
        count = runtime.cudaGetDeviceCount()
    except RuntimeError as error:  # bindings without a driver to load
        raise EngineError(
            f"no NVIDIA driver ({error}); expected a machine with a GPU, or set the device to cpu"
        ) from None
    if int(count[0]) != 0 or not count[1]:
        raise EngineError(f"no GPU to be seen ({count[0]!s}); expected one that CUDA shows, or set the device to cpu")
    return Cuda(runtime)


class Buffers:
    """A stream and, for every tensor, memory on the GPU with a pinned piece beside it, from which copies need not wait.

    Belongs to one thread.
    """

    def __init__(self, cuda: Cuda) -> None:
        self._cuda = cuda
        self.stream = int(cuda.call("cudaStreamCreate"))
        self._device: dict[str, int] = {}
        self._host: dict[str, int] = {}
        self._size: dict[str, int] = {}
        self._view: dict[str, tuple[Shape, np.dtype[Any]]] = {}

    def upload(self, name: str, array: NDArray[Any]) -> int:
        """Begin to copy a contiguous array up; returns its address on the GPU."""
        address = self.room(name, array.shape, array.dtype)
        if array.nbytes:
            ctypes.memmove(self._host[name], array.ctypes.data, array.nbytes)
            self._cuda.copy(address, self._host[name], array.nbytes, self.stream, up=True)
        return address

    def room(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> int:
        """An address on the GPU with room for such an array."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size > self._size.get(name, -1):
            self._release(name)
            room = -(-max(size, 1) // _GRANULE) * _GRANULE
            self._device[name] = int(self._cuda.call("cudaMalloc", room))
            self._host[name] = int(self._cuda.call("cudaMallocHost", room))
            self._size[name] = room
        self._view[name] = (shape, dtype)
        return self._device[name]

    def fetch(self, name: str) -> None:
        """Begin to copy down what the last run wrote."""
        shape, dtype = self._view[name]
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size:
            self._cuda.copy(self._host[name], self._device[name], size, self.stream, up=False)

    def wait(self) -> None:
        self._cuda.call("cudaStreamSynchronize", self.stream)

    def taken(self, name: str) -> NDArray[Any]:
        """A copy of what was fetched; valid after `wait`."""
        shape, dtype = self._view[name]
        out = np.empty(shape, dtype)
        if out.nbytes:
            ctypes.memmove(out.ctypes.data, self._host[name], out.nbytes)
        return out

    def free(self) -> None:
        for name in list(self._size):
            self._release(name)
        self._cuda.call("cudaStreamDestroy", self.stream)

    def _release(self, name: str) -> None:
        if name in self._size:
            self._cuda.call("cudaFree", self._device.pop(name))
            self._cuda.call("cudaFreeHost", self._host.pop(name))
            del self._size[name]
