"""Stage `encode`: the windows of a batch of posts through the text expert, in one call of the runner."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.contract import BatchPolicy, Outcome, ProcessingError
from processors.encode.expert import open_expert
from processors.engines import Device, Engine, EngineStatistics, Runner
from processors.packs import Pack
from schemas import Cause, EncodeSection, Record, Stage

CPU_BATCHING = BatchPolicy(max_items=16, max_cost=1_024, max_wait_s=0.0)
"""A core gains nothing from a batch but company for its neighbours: enough windows that all cores end about together,
and few enough (about a third of a second on two cores) that a post does not wait long behind others."""

GPU_BATCHING = BatchPolicy(max_items=256, max_cost=16_384, max_wait_s=0.002)
"""A GPU is idle in a small batch; 2 ms are less than what one costs."""

WARM_UP_TOKENS = (8, 64)
"""A short and a long window: the first run of a graph allocates, and on a GPU chooses its kernels."""


class EncodeProcessor:
    """A record without windows passes untouched. Safe to call from several threads."""

    stage = Stage.ENCODE

    def __init__(self, engine: Engine, runner: Runner, *, graph: str, batching: BatchPolicy = CPU_BATCHING) -> None:
        """`graph`: what decisions and metrics call it."""
        self.batching = batching
        self.graph = graph
        self.engine = engine
        self._runner = runner
        self._statistics = EngineStatistics()
        self._lock = threading.Lock()

    @classmethod
    def of(
        cls,
        pack: Pack,
        *,
        device: Device = "cpu",
        threads: int | None = None,
        provider_options: Mapping[str, Mapping[str, str]] | None = None,
        batching: BatchPolicy | None = None,
    ) -> EncodeProcessor:
        """The stage for a pack, warmed up; see `open_expert` for the arguments and errors."""
        engine, runner = open_expert(pack, device=device, threads=threads, provider_options=provider_options)
        batching = batching or (CPU_BATCHING if device == "cpu" else GPU_BATCHING)
        processor = cls(engine, runner, graph="text", batching=batching)
        longest = pack.layout.window_tokens
        runner.run([np.full(min(tokens, longest), pack.layout.bos, np.int32) for tokens in WARM_UP_TOKENS])
        return processor

    @property
    def statistics(self) -> EngineStatistics:
        """What the engine has done since the start, warm-up apart."""
        with self._lock:
            return self._statistics

    def cost(self, record: Record, /) -> int:
        """Tokens."""
        return sum(len(window.ids) for window in record.pack.windows) if record.pack else 0

    def prepare(self, record: Record, /) -> Record:
        """Raises `ProcessingError` for a record that pack has not seen."""
        if record.pack is None:
            raise ProcessingError(Cause.INVALID_RECORD, "no such section; expected pack to run before encode", "pack")
        return record

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        """Raises `EngineError` where the engine fails, for the whole batch."""
        rows = [window.ids for record in batch if record.pack for window in record.pack.windows]
        if not rows:
            return list(batch)
        (logits, embeddings), statistics = self._runner.run(rows)
        with self._lock:
            self._statistics += statistics
        outcomes: list[Outcome] = []
        start = 0
        for record in batch:
            end = start + (len(record.pack.windows) if record.pack else 0)
            outcomes.append(_with_section(record, logits[start:end], embeddings[start:end], self.engine.provider))
            start = end
        return outcomes


def _with_section(record: Record, logits: NDArray[np.float32], embeddings: NDArray[np.float32], engine: str) -> Outcome:
    """The record with the logits of all its windows, and the embedding of the one whose main label is highest.

    The main label is the pack's first head. Among several windows it is the worst that decides, and a mean would hide
    one bad sentence in a long text.
    """
    if not len(logits):
        return record
    if not np.isfinite(logits).all():
        return ProcessingError(Cause.POISON, "the text expert's logits are not finite; expected numbers", "encode")
    worst = int(logits[:, 0].argmax())
    # Copies: slices would keep the whole batch's arrays alive.
    return replace(
        record, encode=EncodeSection(logits=logits.copy(), embedding=embeddings[worst].copy(), engine=engine)
    )
