"""All engines of a pack: `modstream pack build DIR --engines`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models_export.tensorrt.buckets import GraphBuckets, buckets_of, vad_buckets
from models_export.tensorrt.builder import TIMING_CACHE, EngineBuilder, build_engine, load_builder
from models_export.tensorrt.ready import Precision, make_ready
from processors.engines.engine_card import EngineCard
from processors.engines.opening import ENGINES_FOLDER, engine_path
from processors.packs import load_pack
from processors.packs.engine_check import vad_graph

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is built, and how."""

    precision: Precision = "fp16"
    detection_side: int | None = None
    """As the workers' setting `ocr.detection_side`; None for its default."""


def build_engines(
    folder: Path,
    wanted: Wanted,
    *,
    out: Path | None = None,
    builder: EngineBuilder | None = None,
    report: Report = print,
) -> dict[str, EngineCard]:
    """Engines of the verified pack in `folder`, into `out` (default: `folder/engines`): graph -> card.

    Raises `PackError`, `EngineError`, and ValueError for a graph that cannot be made ready.
    """
    pack = load_pack(folder)
    builder = builder or load_builder()  # before anything is computed: without a GPU there is nothing to do
    out = out or folder / ENGINES_FOLDER
    report(f"TensorRT {builder.tensorrt}, {builder.gpu} (compute capability {builder.compute_capability})")
    graphs = [(one, folder / one.path) for one in buckets_of(pack.manifest, detection_side=wanted.detection_side)]
    graphs.append((vad_buckets(), vad_graph()))
    return {one.name: _build(builder, one, graph, out, wanted.precision, report) for one, graph in graphs}


def _build(
    builder: EngineBuilder, one: GraphBuckets, graph: Path, out: Path, precision: Precision, report: Report
) -> EngineCard:
    ready = make_ready(graph, one.buckets[0], precision)
    report(f"{one.name}: {len(one.buckets)} buckets, {precision}, moves outputs by {ready.moved:.2g} of their largest")
    file = engine_path(out, one.path)
    return build_engine(
        builder, one.name, graph, ready, one.buckets, file, precision=precision, cache=out / TIMING_CACHE
    )
