"""Opening a pack's graph on a device: ONNX Runtime, or an engine file that was built ahead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from processors.engines.engine import Device, Engine, EngineError
from processors.engines.engine_card import ENGINE_SUFFIX
from processors.engines.onnx_runtime import OnnxEngine
from processors.engines.tensorrt import TensorRtEngine

ENGINES_FOLDER = "engines"
"""Of a pack, where `modstream pack build DIR --engines` puts them."""


def engine_path(engines: Path, graph: str) -> Path:
    """Where the engine of a pack's graph lies; `graph` is its path below the pack's folder, with `/`."""
    return engines / PurePosixPath(graph).with_suffix(ENGINE_SUFFIX)


def open_engine(
    folder: Path,
    graph: str,
    *,
    device: Device = "cpu",
    threads: int = 1,
    provider_options: Mapping[str, Mapping[str, str]] | None = None,
    engines: Path | None = None,
) -> Engine:
    """The pack's graph `folder / graph` on exactly the device that was asked for.

    `engines`: folder of engine files; the device must then be `tensorrt`, and every graph that is opened must have one
    there. Without it, `tensorrt` is ONNX Runtime's execution provider, which builds engines when it starts. Raises
    `EngineError`.
    """
    if engines is None:
        return OnnxEngine(folder / graph, device=device, threads=threads, provider_options=provider_options)
    if device != "tensorrt":
        raise EngineError(f"engines in {engines}, but the device is {device!r}; expected tensorrt, or no engines")
    return TensorRtEngine(folder / graph, engine_path(engines, graph))
