"""The image expert of a pack on an engine: pictures -> logits and features."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processors.cores import usable_cores
from processors.encode.picture import Pixels, as_input
from processors.encode.signature import compare, only
from processors.engines import Device, Engine, EngineStatistics, open_engine
from processors.packs import MANIFEST_FILE, Pack, PackError
from processors.packs.image_part import ImageExpert

CHANNELS = 3

GPU_PICTURES = 64
"""Pictures of one run on a GPU: more gain nothing there, and take memory."""


@dataclass(frozen=True, slots=True)
class PictureScores:
    """What the expert says of one picture."""

    logits: NDArray[np.float32]
    """Shape [heads], before calibration."""
    features: NDArray[np.float32]
    """Shape [features_size]."""


class ImageExpertModel:
    """Cut-outs (`processors.encode.picture`) -> logits float32 [pictures, heads], features float32 [pictures, size]."""

    def __init__(self, engine: Engine, expert: ImageExpert) -> None:
        self._engine = engine
        self._expert = expert

    def __call__(self, pictures: Sequence[Pixels]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        outputs = self._engine.run({self._expert.input.tensor.name: as_input(pictures, self._expert.input)})
        return (
            outputs[self._expert.logits.name].astype(np.float32, copy=False),
            outputs[self._expert.features.name].astype(np.float32, copy=False),
        )


class ImageRunner:
    """Runs pictures so that what one gives does not depend on the others. Safe to call from several threads."""

    def __init__(self, model: ImageExpertModel, *, pictures: int, threads: int) -> None:
        """`pictures`: of one run at most. `threads`: runs side by side."""
        if min(pictures, threads) < 1:
            raise ValueError(f"{pictures} pictures on {threads} threads; expected at least 1")
        self._model = model
        self._pictures = pictures
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="image-engine")

    def run(self, pictures: Sequence[Pixels], /) -> tuple[list[PictureScores], EngineStatistics]:
        """One result per picture, in order. Raises what the model raises."""
        parts = [pictures[start : start + self._pictures] for start in range(0, len(pictures), self._pictures)]
        scores: list[PictureScores] = []
        seconds = 0.0
        for found, took in self._pool.map(self._run, parts):
            scores += found
            seconds += took
        return scores, EngineStatistics(len(parts), len(pictures), 0, seconds)

    def _run(self, pictures: Sequence[Pixels]) -> tuple[list[PictureScores], float]:
        began = time.perf_counter()
        logits, features = self._model(pictures)
        # Copies: a picture's scores may be kept for long, and slices would keep the whole run's arrays alive.
        scores = [PictureScores(row.copy(), pooled.copy()) for row, pooled in zip(logits, features, strict=True)]
        return scores, time.perf_counter() - began


def open_image_expert(
    pack: Pack,
    expert: ImageExpert,
    *,
    device: Device = "cpu",
    threads: int | None = None,
    provider_options: Mapping[str, Mapping[str, str]] | None = None,
    engines: Path | None = None,
) -> tuple[Engine, ImageRunner]:
    """The pack's image expert, ready to run; arguments and errors as for `open_expert`.

    On a CPU pictures run one by one, several side by side with one thread each: 22 ms a picture alone, 24 ms in batches
    of 8.
    """
    graph = expert.graph.path
    engine = open_engine(pack.folder, graph, device=device, provider_options=provider_options, engines=engines)
    for field, reason in check_image_signature(engine, expert):
        raise PackError(pack.folder / MANIFEST_FILE, field, reason)
    model = ImageExpertModel(engine, expert)
    if device == "cpu":
        return engine, ImageRunner(model, pictures=1, threads=threads or usable_cores())
    return engine, ImageRunner(model, pictures=GPU_PICTURES, threads=1)


def check_image_signature(engine: Engine, expert: ImageExpert) -> Iterator[tuple[str, str]]:
    """(field of the manifest, problem) for everything in which the graph differs from it."""
    tensor, side = expert.input.tensor, expert.input.size
    shape = (None, CHANNELS, side, side) if expert.input.layout == "nchw" else (None, side, side, CHANNELS)
    yield from compare("image.input.tensor", tensor, shape, engine.inputs)
    yield from only("image.input.tensor", {tensor.name}, engine.inputs)
    yield from compare("image.logits", expert.logits, (None, len(expert.heads)), engine.outputs)
    yield from compare("image.features", expert.features, (None, expert.features_size), engine.outputs)
