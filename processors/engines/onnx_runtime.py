"""ONNX Runtime as an engine, on exactly the device that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import onnxruntime
from numpy.typing import NDArray

from processors.engines.engine import Device, EngineError, TensorSpec

# The library has no types.
_ort = cast(Any, onnxruntime)

_CPU = "CPUExecutionProvider"
_PROVIDERS: dict[Device, tuple[str, ...]] = {
    "cpu": (_CPU,),
    "cuda": ("CUDAExecutionProvider", _CPU),
    # What TensorRT cannot take goes to CUDA, and the few shape computations to the CPU.
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", _CPU),
}

MIN_DEVICE_SHARE = 0.5
"""Share of a graph's nodes that must run on the device that was asked for. Shape arithmetic stays on the CPU by design;
a graph whose weights' operators the device lacks (dynamic int8 on CUDA) has most of its work there."""

_INSTALL_GPU = (
    "uninstall onnxruntime and install onnxruntime-gpu in its place (requirements/gpu.lock), with the CUDA and cuDNN"
    " libraries that it names, or set the device to cpu"
)

_ERRORS_ONLY = 3
"""ONNX Runtime's own log goes to stderr, where warnings about every graph are of no use to operators."""

_DTYPES = {
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}


class OnnxEngine:
    """One session. `threads` are those of a single run; runs of several threads go side by side."""

    def __init__(
        self,
        graph: Path,
        *,
        device: Device = "cpu",
        threads: int = 1,
        provider_options: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """`provider_options`: execution provider -> its options, as ONNX Runtime documents them.

        Raises `EngineError` where the graph cannot be loaded or does not run on the device: there is no falling back.
        """
        if threads < 1:
            raise EngineError(f"{threads} threads for {graph.name}; expected at least 1")
        wanted = _PROVIDERS[device]
        available: list[str] = _ort.get_available_providers()
        if wanted[0] not in available:
            raise EngineError(
                f"device {device!r} needs the {wanted[0]} of ONNX Runtime, and this build has only"
                f" {', '.join(available)}: {_INSTALL_GPU}"
            )
        options = dict(provider_options or {})
        providers = [(name, dict(options.get(name, {}))) for name in wanted if name in available]
        self._graph = graph
        self._session: Any = _open_session(graph, _session_options(threads, record=device != "cpu"), providers)
        self._provider = wanted[0]
        if device != "cpu":
            self._check_device(device)
        self._inputs = tuple(_spec(argument) for argument in self._session.get_inputs())
        self._outputs = tuple(_spec(argument) for argument in self._session.get_outputs())
        self._output_names = [spec.name for spec in self._outputs]

    @property
    def provider(self) -> str:
        return self._provider

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._outputs

    def run(self, feeds: Mapping[str, NDArray[Any]], /) -> dict[str, NDArray[Any]]:
        try:
            values: list[NDArray[Any]] = self._session.run(self._output_names, dict(feeds))
        except Exception as error:  # the library's errors have no common base
            raise EngineError(f"{self._graph.name}: {_first_line(error)}") from error
        return dict(zip(self._output_names, values, strict=True))

    def _check_device(self, device: Device) -> None:
        if self._provider not in self._session.get_providers():
            raise EngineError(
                f"{self._graph.name}: device {device!r} was asked for, but {self._provider} did not load:"
                f" {_INSTALL_GPU}"
            )
        counts: dict[str, int] = {}
        for part in self._session.get_provider_graph_assignment_info():
            counts[part.ep_name] = counts.get(part.ep_name, 0) + len(part.get_nodes())
        share = counts.get(self._provider, 0) / max(1, sum(counts.values()))
        if share < MIN_DEVICE_SHARE:
            raise EngineError(
                f"{self._graph.name}: only {share:.0%} of its nodes run on {self._provider}, expected at least"
                f" {MIN_DEVICE_SHARE:.0%}: use a pack whose graph is made for {device!r}, or set the device to cpu"
            )


def _session_options(threads: int, *, record: bool) -> Any:
    options = _ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.use_deterministic_compute = True
    # Memory patterns are kept per input shape, and every length is a shape of its own.
    options.enable_mem_pattern = False
    # Idle threads must not burn the cores that other stages and Kafka's client work on.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if record:
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options


def _open_session(graph: Path, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
    try:
        return _ort.InferenceSession(str(graph), options, providers=providers, enable_fallback=0)
    except Exception as error:  # the library's errors have no common base
        raise EngineError(f"{graph}: cannot be loaded: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:400]


def _spec(argument: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else None for size in argument.shape)
    kind: str = argument.type
    return TensorSpec(argument.name, _DTYPES.get(kind, kind), shape)
