"""The text expert of a pack on an engine: what the manifest calls inputs and outputs becomes (ids, mask) -> arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.cores import usable_cores
from processors.encode.signature import compare, only
from processors.engines import BucketedRunner, Device, Engine, IsolatedRunner, Runner, open_engine
from processors.packs import MANIFEST_FILE, Pack, PackError
from processors.packs.manifest import TextExpert


class TextExpertModel:
    """A `RowModel`: ids, mask [rows, tokens] -> logits float32 [rows, heads], embedding float32 [rows, width]."""

    def __init__(self, engine: Engine, expert: TextExpert) -> None:
        self._engine = engine
        self._ids, self._mask = expert.inputs.ids, expert.inputs.mask
        self._logits, self._embedding = expert.outputs.logits.name, expert.outputs.embedding.name

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        outputs = self._engine.run(
            {
                self._ids.name: ids.astype(self._ids.dtype, copy=False),
                self._mask.name: mask.astype(self._mask.dtype, copy=False),
            }
        )
        return (
            outputs[self._logits].astype(np.float32, copy=False),
            outputs[self._embedding].astype(np.float32, copy=False),
        )


def open_expert(
    pack: Pack,
    *,
    device: Device = "cpu",
    threads: int | None = None,
    provider_options: Mapping[str, Mapping[str, str]] | None = None,
    engines: Path | None = None,
) -> tuple[Engine, Runner]:
    """The pack's text expert, ready to run.

    `threads`: CPU threads in all, by default the cores that this process may use. `engines`: folder of engine files, as
    `open_engine` has it. Raises `EngineError` where the graph does not load or run on the device, and `PackError` where
    it is not what the manifest says.
    """
    threads = threads or usable_cores()
    graph = pack.manifest.text.graph.path
    engine = open_engine(pack.folder, graph, device=device, provider_options=provider_options, engines=engines)
    for field, reason in check_signature(engine, pack.manifest.text):
        raise PackError(pack.folder / MANIFEST_FILE, field, reason)
    model = TextExpertModel(engine, pack.manifest.text)
    return engine, runner_for(pack, model, device=device, threads=threads)


def runner_for(pack: Pack, model: TextExpertModel, *, device: Device, threads: int) -> Runner:
    """How windows go through the model: as the pack's `isolation` allows, and as is fastest on the device.

    On a CPU that is row by row in any case, with parallel runs of one thread each: a window of 30 tokens already keeps
    a core's arithmetic busy (19 ms of CPU alone, 20 to 22 ms in batches of 16 to 64), and alone it needs no padding.
    """
    if device == "cpu" or pack.manifest.text.isolation == "row":
        return IsolatedRunner(model, threads)
    return BucketedRunner(model, pad=pack.layout.pad, max_tokens=pack.layout.window_tokens)


def check_signature(engine: Engine, expert: TextExpert) -> Iterator[tuple[str, str]]:
    """(field of the manifest, problem) for everything in which the graph differs from it."""
    rows = 1 if expert.isolation == "row" else None
    for field, tensor in (("ids", expert.inputs.ids), ("mask", expert.inputs.mask)):
        yield from compare(f"text.inputs.{field}", tensor, (rows, None), engine.inputs)
    yield from only("text.inputs", {expert.inputs.ids.name, expert.inputs.mask.name}, engine.inputs)
    for field, tensor, width in (
        ("logits", expert.outputs.logits, len(expert.heads)),
        ("embedding", expert.outputs.embedding, expert.embedding_size),
    ):
        yield from compare(f"text.outputs.{field}", tensor, (rows, width), engine.outputs)
