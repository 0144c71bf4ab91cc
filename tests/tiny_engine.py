"""Engine files that no TensorRT made, and TensorRTs that need no GPU: one gives zeros, one runs graphs on the CPU."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from processors.engines import EngineError, OnnxEngine
from processors.engines.engine_card import EngineCard, EngineTensor, sha256_of, write_card
from processors.engines.profiles import ShapeRange

CONTENT = b"machine code of some GPU"


def tokens(low: int, high: int) -> ShapeRange:
    return ShapeRange(least=(1, low), best=(2, high), most=(4, high))


PROFILES = tuple({"ids": tokens(low, high), "mask": tokens(low, high)} for low, high in ((1, 8), (9, 16)))


def write_engine(engine: Path, graph: Path, **changes: Any) -> EngineCard:
    """An engine file and its card, as a build of `graph` would leave them on the machine of `FakeLibrary`."""
    engine.parent.mkdir(parents=True, exist_ok=True)
    engine.write_bytes(CONTENT)
    card = EngineCard(
        schema="engine/1",
        graph="text",
        graph_sha256=sha256_of(graph),
        engine_sha256=hashlib.sha256(CONTENT).hexdigest(),
        tensorrt="11.2.1.2",
        compute_capability="9.0",
        gpu="Some GPU",
        precision="fp16",
        moved=0.001,
        profiles=PROFILES,
        inputs=tuple(EngineTensor(name=name, dtype="int64", shape=(None, None)) for name in ("ids", "mask")),
        outputs=(EngineTensor(name="logits", dtype="float32", shape=(None, 3)),),
    )
    card = msgspec.structs.replace(card, **changes)
    write_card(engine, card)
    return card


@dataclass
class FakeContext:
    library: FakeLibrary

    def run(self, profile: int, feeds: Mapping[str, NDArray[Any]], /) -> dict[str, NDArray[Any]]:
        self.library.ran.append((profile, threading.get_ident()))
        if self.library.failure:
            raise EngineError(self.library.failure)
        return {"logits": np.zeros((len(feeds["ids"]), 3), np.float32), "unnamed": np.zeros(1, np.float32)}


@dataclass
class FakePlan:
    library: FakeLibrary
    inputs: tuple[str, ...] = ("ids", "mask")
    outputs: tuple[str, ...] = ("logits",)

    @property
    def profiles(self) -> int:
        return self.library.profiles

    def context(self) -> FakeContext:
        self.library.contexts += 1
        return FakeContext(self.library)


@dataclass
class FakeLibrary:
    """TensorRT as its version, its GPU, and zeros."""

    tensorrt: str = "11.2.1.2"
    compute_capability: str = "9.0"
    profiles: int = len(PROFILES)
    failure: str = ""
    opened: list[bytes] = field(default_factory=list[bytes])
    ran: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """(profile, thread) of every run."""
    contexts: int = 0

    def open(self, content: bytes, /) -> FakePlan:
        self.opened.append(content)
        return FakePlan(self)


def write_running_engine(engine: Path, graph: Path, most: Mapping[str, tuple[int, ...]], **changes: Any) -> None:
    """An engine file that `RunningLibrary` runs, of one bucket: any shapes of the inputs up to `most`."""
    content = graph.read_bytes()
    opened = OnnxEngine(graph)
    fixed = {spec.name: tuple(size or 1 for size in spec.shape) for spec in opened.inputs}
    profile = {name: ShapeRange(least=fixed[name], best=shape, most=shape) for name, shape in most.items()}
    inputs, outputs = (
        tuple(EngineTensor(name=spec.name, dtype=spec.dtype, shape=spec.shape) for spec in specs)
        for specs in (opened.inputs, opened.outputs)
    )
    digest = hashlib.sha256(content).hexdigest()
    made = {"engine_sha256": digest, "profiles": (profile,), "inputs": inputs, "outputs": outputs}
    write_engine(engine, graph, **{**made, **changes})
    engine.write_bytes(content)


@dataclass
class RunningPlan:
    """Its engine file is an ONNX graph, and the CPU runs it."""

    session: Any
    profiles: int = 1

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(value.name for value in self.session.get_inputs())

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(value.name for value in self.session.get_outputs())

    def context(self) -> RunningPlan:
        return self

    def run(self, profile: int, feeds: Mapping[str, NDArray[Any]], /) -> dict[str, NDArray[Any]]:
        return dict(zip(self.outputs, self.session.run(None, dict(feeds)), strict=True))


@dataclass
class RunningLibrary:
    """TensorRT as the numbers that it should give."""

    tensorrt: str = "11.2.1.2"
    compute_capability: str = "9.0"

    def open(self, content: bytes, /) -> RunningPlan:
        return RunningPlan(onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]))
