"""The engines of a pack, where somebody has built some: does each belong to a graph of the pack, and to this GPU?"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from processors.engines.engine import EngineError
from processors.engines.engine_card import CARD_SUFFIX, ENGINE_SUFFIX, Machine, misfits, read_card, sha256_of
from processors.engines.opening import ENGINES_FOLDER, engine_path
from processors.engines.tensorrt_library import load_library
from processors.packs.pack import Pack, listed_files

TIMING_CACHE = "timing.cache"
"""What TensorRT remembers between builds; nothing reads it when engines run."""

VAD_GRAPH = "asr/silero_vad_v6.onnx"
"""Where the engine of the voice detection stands; its graph comes with faster-whisper and not with the pack."""


def vad_graph() -> Path:
    """Silero's graph as faster-whisper brings it along. Raises `EngineError`."""
    spec = find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise EngineError("faster_whisper is not installed; expected the voice detection's graph in it")
    return Path(spec.origin).parent / "assets" / Path(VAD_GRAPH).name


def engines_of(pack: Pack) -> Path:
    """Where the engines of a pack stand unless another folder is named."""
    return pack.folder / ENGINES_FOLDER


def check_engines(pack: Pack) -> Iterator[tuple[str, str, bool]]:
    """(file, problem, whether it is an error) of every file among the engines; nothing where there are none.

    Version and GPU are compared where this machine has both; where it has not, that is said once.
    """
    folder = engines_of(pack)
    if not folder.is_dir():
        return
    machine: Machine | None = None
    try:
        machine = load_library()
    except EngineError as error:
        yield str(folder), f"whether the engines fit the GPU cannot be told here: {error}", False
    graphs = {engine_path(folder, file.path): file.sha256 for _, file in listed_files(pack.manifest)}
    voice = engine_path(folder, VAD_GRAPH)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name.endswith(CARD_SUFFIX) or path == folder / TIMING_CACHE:
            continue
        if path not in (*graphs, voice):
            yield str(path), f"no engine of a graph of this pack; expected {ENGINE_SUFFIX} files of its graphs", True
            continue
        try:
            graph = sha256_of(vad_graph()) if path == voice else graphs[path]
            card = read_card(path)
            reasons = list(misfits(card, graph_sha256=graph, machine=machine))
            if (found := sha256_of(path)) != card.engine_sha256:
                reasons.append(f"SHA-256 {found}; expected {card.engine_sha256}, as its card says")
        except EngineError as error:
            reasons = [str(error)]
        yield from ((str(path), reason, True) for reason in reasons)
