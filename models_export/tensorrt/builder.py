"""One engine from one graph: a strongly typed network, a profile per bucket, a timing cache that builds share.

Not run on hardware: building needs a GPU. The calls have been checked against the bindings of TensorRT 11.2.1 (loaded
with its libraries) and by name against those of 10.15.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import onnx
from onnx import helper

from models_export.tensorrt.ready import Precision, ReadyGraph
from processors.engines.cuda_buffers import load_cuda
from processors.engines.engine import EngineError, TensorSpec
from processors.engines.engine_card import ENGINE_SCHEMA, EngineCard, EngineTensor, Machine, sha256_of, write_card
from processors.engines.profiles import Profile, problems
from processors.engines.tensorrt_library import load_bindings
from processors.packs.engine_check import TIMING_CACHE

WORKSPACE_BYTES = 4 << 30
"""What kernels may borrow while they run; more than this, no kernel of these graphs asks for."""


class EngineBuilder(Machine, Protocol):
    """TensorRT's builder on the GPU of this process."""

    @property
    def gpu(self) -> str: ...

    def build(self, model: bytes, profiles: Sequence[Profile], cache: bytes, /) -> tuple[bytes, bytes]:
        """(engine, timing cache). Raises `EngineError`."""
        ...


def load_builder() -> EngineBuilder:
    """Raises `EngineError` where TensorRT, CUDA or a GPU is missing."""
    trt, cuda = load_bindings(), load_cuda()  # without a GPU, TensorRT's builder ends the process
    return _Builder(trt, cuda.compute_capability, cuda.gpu)


class _Builder:
    def __init__(self, trt: Any, compute_capability: str, gpu: str) -> None:
        self._trt = trt
        self.tensorrt = str(trt.__version__)
        self.compute_capability, self.gpu = compute_capability, gpu
        self._logger = trt.Logger(trt.Logger.WARNING)

    def build(self, model: bytes, profiles: Sequence[Profile], cache: bytes, /) -> tuple[bytes, bytes]:
        trt = self._trt
        builder = trt.Builder(self._logger)
        network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        parser = trt.OnnxParser(network, self._logger)
        if not parser.parse(model):
            reasons = "; ".join(str(parser.get_error(at)) for at in range(parser.num_errors))
            raise EngineError(f"TensorRT cannot read the graph: {reasons}")
        config = builder.create_builder_config()
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
        # TF32 rounds the factors of products to 10 bits: fp32 engines are asked for where that is too little.
        config.clear_flag(trt.BuilderFlag.TF32)
        for found in profiles:
            profile = builder.create_optimization_profile()
            for name, shapes in found.items():
                profile.set_shape(name, shapes.least, shapes.best, shapes.most)
            if config.add_optimization_profile(profile) < 0:
                raise EngineError(
                    f"TensorRT refuses the bucket {', '.join(f'{name} {at}' for name, at in found.items())}"
                )
        timing = config.create_timing_cache(cache)
        if not config.set_timing_cache(timing, ignore_mismatch=False):
            raise EngineError(f"{TIMING_CACHE}: of another GPU or TensorRT; delete it")
        engine = builder.build_serialized_network(network, config)
        if engine is None:
            raise EngineError("TensorRT cannot build the engine; its log on stderr says why")
        return bytes(engine), bytes(config.get_timing_cache().serialize())


def build_engine(
    builder: EngineBuilder,
    name: str,
    graph: Path,
    ready: ReadyGraph,
    buckets: Sequence[Profile],
    out: Path,
    *,
    precision: Precision,
    cache: Path,
) -> EngineCard:
    """Write the engine file `out` and its card. `graph`: the pack's ONNX, which the card names by its SHA-256.

    Raises `EngineError` where a bucket is none of the graph's or TensorRT does not build it.
    """
    inputs, outputs = tensors(ready.model.graph.input), tensors(ready.model.graph.output)
    specs = [TensorSpec(tensor.name, tensor.dtype, tensor.shape) for tensor in inputs]
    for bucket in buckets:
        for reason in problems(bucket, specs):
            raise EngineError(f"{name}: {reason}")
    known = cache.read_bytes() if cache.is_file() else b""
    try:
        engine, timing = builder.build(ready.model.SerializeToString(), buckets, known)
    except EngineError as error:
        raise EngineError(f"{name}: {error}") from error
    card = EngineCard(
        schema=ENGINE_SCHEMA,
        graph=name,
        graph_sha256=sha256_of(graph),
        engine_sha256=hashlib.sha256(engine).hexdigest(),
        tensorrt=builder.tensorrt,
        compute_capability=builder.compute_capability,
        gpu=builder.gpu,
        precision=precision,
        moved=ready.moved,
        profiles=tuple(dict(bucket) for bucket in buckets),
        inputs=inputs,
        outputs=outputs,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes(timing)
    part = out.with_name(out.name + ".part")
    part.write_bytes(engine)
    write_card(out, card)  # first: an engine without a card is no engine, a card without one says what is missing
    part.replace(out)
    return card


def tensors(values: Sequence[onnx.ValueInfoProto]) -> tuple[EngineTensor, ...]:
    """What a graph says of its inputs or outputs; a dimension with a name varies."""
    return tuple(
        EngineTensor(
            name=value.name,
            dtype=helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name,
            shape=tuple(
                size.dim_value if size.HasField("dim_value") else None for size in value.type.tensor_type.shape.dim
            ),
        )
        for value in values
    )
