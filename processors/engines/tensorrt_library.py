"""The typed boundary to TensorRT's runtime: what of it is used, and how it is found. Nothing is imported before that.

Works with TensorRT 10 and 11, whose runtime interfaces are the same where it is used here.
"""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from processors.engines.cuda_buffers import Buffers, Cuda, load_cuda
from processors.engines.engine import EngineError
from processors.engines.profiles import Shape

MODULES = ("tensorrt", "tensorrt_bindings")
"""`tensorrt` brings its libraries along; `tensorrt_bindings` (the wheels `tensorrt-cu12-bindings` and
`tensorrt-cu13-bindings`) finds them where the system's loader does."""

INSTALL = (
    "install the wheel tensorrt (from NVIDIA's index), or tensorrt-cu13-bindings with libnvinfer on LD_LIBRARY_PATH,"
    " and cuda-bindings; or set the device to cpu"
)

OLDEST, NEWEST = 10, 11
"""Major versions whose interface this is."""


class Context(Protocol):
    """Belongs to one thread."""

    def run(self, profile: int, feeds: Mapping[str, NDArray[Any]], /) -> dict[str, NDArray[Any]]:
        """All outputs by name; arrays are contiguous and fit the profile. Raises `EngineError`."""
        ...


class Plan(Protocol):
    """A loaded engine."""

    @property
    def inputs(self) -> tuple[str, ...]: ...

    @property
    def outputs(self) -> tuple[str, ...]: ...

    @property
    def profiles(self) -> int: ...

    def context(self) -> Context:
        """For the calling thread. Raises `EngineError`."""
        ...


class Library(Protocol):
    """TensorRT on the GPU of this process, the first that CUDA shows it."""

    @property
    def tensorrt(self) -> str: ...

    @property
    def compute_capability(self) -> str: ...

    def open(self, content: bytes, /) -> Plan:
        """Raises `EngineError` where TensorRT does not take it."""
        ...


def load_bindings() -> Any:
    """TensorRT's module. Raises `EngineError` that says what to install."""
    failures: list[str] = []
    for name in MODULES:
        try:
            module: Any = importlib.import_module(name)
        except ModuleNotFoundError as error:
            failures.append(f"no module {error.name}")
        except (ImportError, OSError) as error:  # bindings without the libraries
            failures.append(f"{name}: {str(error).strip().partition(chr(10))[0]}")
        else:
            major = int(str(module.__version__).partition(".")[0])
            if not OLDEST <= major <= NEWEST:
                raise EngineError(f"TensorRT {module.__version__}; expected version {OLDEST} to {NEWEST}")
            return module
    raise EngineError(f"native TensorRT cannot be had ({'; '.join(failures)}): {INSTALL}")


def load_library() -> Library:
    """Raises `EngineError` where TensorRT, CUDA or a GPU is missing."""
    return _Library(load_bindings(), load_cuda())


class _Library:
    def __init__(self, trt: Any, cuda: Cuda) -> None:
        self._trt, self._cuda = trt, cuda
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))

    @property
    def tensorrt(self) -> str:
        return str(self._trt.__version__)

    @property
    def compute_capability(self) -> str:
        return self._cuda.compute_capability

    def open(self, content: bytes, /) -> Plan:
        engine = self._runtime.deserialize_cuda_engine(content)
        if engine is None:
            raise EngineError("TensorRT does not take the engine; its log on stderr says why")
        return _Plan(self._trt, self._cuda, self._runtime, engine)


class _Plan:
    def __init__(self, trt: Any, cuda: Cuda, runtime: Any, engine: Any) -> None:
        self._trt, self._cuda, self._engine = trt, cuda, engine
        self._runtime = runtime  # must outlive its engines
        names: list[str] = [engine.get_tensor_name(at) for at in range(engine.num_io_tensors)]
        is_input = [engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT for name in names]
        self._names_in = tuple(name for name, there in zip(names, is_input, strict=True) if there)
        self._names_out = tuple(name for name, there in zip(names, is_input, strict=True) if not there)

    @property
    def inputs(self) -> tuple[str, ...]:
        return self._names_in

    @property
    def outputs(self) -> tuple[str, ...]:
        return self._names_out

    @property
    def profiles(self) -> int:
        return int(self._engine.num_optimization_profiles)

    def context(self) -> Context:
        context = self._engine.create_execution_context()
        if context is None:
            raise EngineError("no execution context; expected enough memory on the GPU")
        dtypes = {name: np.dtype(self._trt.nptype(self._engine.get_tensor_dtype(name))) for name in self._names_out}
        return _Context(context, self._cuda, dtypes)


class _Context:
    """Copies in, runs and copies out on one stream, and waits once, at the end."""

    def __init__(self, context: Any, cuda: Cuda, outputs: Mapping[str, np.dtype[Any]]) -> None:
        self._context, self._outputs = context, outputs
        self._buffers = Buffers(cuda)
        # A thread that ends lets go of its context, and the memory goes with it.
        weakref.finalize(self, self._buffers.free)
        self._profile: int | None = None

    def run(self, profile: int, feeds: Mapping[str, NDArray[Any]], /) -> dict[str, NDArray[Any]]:
        context, stream = self._context, self._buffers.stream
        if profile != self._profile:
            self._must(context.set_optimization_profile_async(profile, stream), f"bucket {profile}")
            self._profile = profile
        for name, array in feeds.items():
            self._must(context.set_input_shape(name, array.shape), f"the shape {array.shape} of {name}")
            self._must(context.set_tensor_address(name, self._buffers.upload(name, array)), name)
        if missing := list(context.infer_shapes()):
            raise EngineError(f"TensorRT cannot tell the outputs' shapes; it lacks {', '.join(missing)}")
        shapes = {name: self._shape_of(name) for name in self._outputs}
        for name, dtype in self._outputs.items():
            self._must(context.set_tensor_address(name, self._buffers.room(name, shapes[name], dtype)), name)
        self._must(context.execute_async_v3(stream), "the run")
        for name in self._outputs:
            self._buffers.fetch(name)
        self._buffers.wait()
        return {name: self._buffers.taken(name) for name in self._outputs}

    def _shape_of(self, name: str) -> Shape:
        shape = tuple(int(size) for size in self._context.get_tensor_shape(name))
        if min(shape, default=0) < 0:
            raise EngineError(f"the shape of {name} depends on values; expected one that follows from the inputs'")
        return shape

    @staticmethod
    def _must(done: bool, what: str) -> None:
        if not done:
            raise EngineError(f"TensorRT refuses {what}; its log on stderr says why")
