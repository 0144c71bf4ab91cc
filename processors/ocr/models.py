"""The graphs that read pictures: those of the pack, or of a folder as PaddleOCR exports them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from processors.engines import Device, EngineError, open_engine
from processors.ocr.detection import Detector
from processors.ocr.graph_config import read_detection_config, read_recognition_config
from processors.ocr.lanes import Lanes
from processors.ocr.metered import MeteredGraph
from processors.ocr.recognition import Recogniser
from processors.ocr.scripts import scripts_read
from processors.packs import MANIFEST_FILE, Pack, PackError

GRAPH_FILE, CONFIG_FILE = "inference.onnx", "inference.yml"


@dataclass(frozen=True, slots=True)
class GraphFiles:
    graph: Path
    config: Path

    @classmethod
    def below(cls, folder: Path) -> GraphFiles:
        return cls(folder / GRAPH_FILE, folder / CONFIG_FILE)


@dataclass(frozen=True, slots=True)
class RunSizes:
    """How much goes into one run."""

    pictures: int
    """Of detection."""
    columns: int
    """Of recognition: the widths of all crops together."""


CPU_RUNS = RunSizes(pictures=1, columns=512)
"""A core gains nothing from pictures beside each other (65 ms each, alone and in fours), and little from short lines:
80 µs a column alone, 73 in eights."""

GPU_RUNS = RunSizes(pictures=8, columns=16_384)
"""A GPU needs company to be busy; 16,384 columns bring 150 MB of probabilities back."""


@dataclass(frozen=True, slots=True)
class OcrGraphs:
    """Both graphs on their engines."""

    detection: MeteredGraph
    recognition: MeteredGraph
    detector: Detector
    recogniser: Recogniser
    lanes: Lanes
    reads: tuple[str, ...]
    """Scripts (ISO 15924) that the recogniser reads."""


def open_graphs(
    pack: Pack,
    models: Path | None,
    *,
    device: Device,
    threads: int,
    provider_options: Mapping[str, Mapping[str, str]] | None = None,
    engines: Path | None = None,
) -> OcrGraphs:
    """The graphs of the folder `models`, else of the pack.

    `threads`: runs side by side, each on one thread. `engines`: folder of engine files of the pack's graphs, as
    `open_engine` has it. Raises `PackError` where there are none or a file is not what PaddleOCR writes, and
    `EngineError` where a graph does not load or run on the device.
    """
    if models is not None and engines is not None:
        raise EngineError(
            f"{engines} has engines of the pack's graphs, and {models} other graphs that read pictures; expected only"
            " one of the settings worker.engines and ocr.models"
        )
    detection, recognition = _files(pack, models)
    detection_config = read_detection_config(detection.config)
    recognition_config = read_recognition_config(recognition.config)
    folder = models or pack.folder
    finder, reader = (
        MeteredGraph(
            name,
            open_engine(
                folder,
                files.graph.relative_to(folder).as_posix(),
                device=device,
                provider_options=provider_options,
                engines=engines,
            ),
        )
        for name, files in (("detection", detection), ("recognition", recognition))
    )
    classes = reader.engine.outputs[0].shape[-1]
    if classes is not None and classes != len(recognition_config.characters):
        reason = (
            f"{len(recognition_config.characters) - 2:,} characters; expected {classes - 2:,}, for the graph has"
            f" {classes:,} classes: a blank, the characters and a space"
        )
        raise PackError(recognition.config, "PostProcess.character_dict", reason)
    lanes = Lanes(threads)
    sizes = CPU_RUNS if device == "cpu" else GPU_RUNS
    return OcrGraphs(
        detection=finder,
        recognition=reader,
        detector=Detector(finder, detection_config, lanes, max_rows=sizes.pictures),
        recogniser=Recogniser(reader, recognition_config, lanes, max_columns=sizes.columns),
        lanes=lanes,
        reads=scripts_read(recognition_config.characters),
    )


def _files(pack: Pack, models: Path | None) -> tuple[GraphFiles, GraphFiles]:
    if models is not None:
        return GraphFiles.below(models / "detection"), GraphFiles.below(models / "recognition")
    part = pack.manifest.ocr
    if part is None:
        reason = "no such part; expected the graphs that read pictures, or a folder with them in the setting ocr.models"
        raise PackError(pack.folder / MANIFEST_FILE, "ocr", reason)
    found, read = (
        GraphFiles(pack.folder / graph.graph.path, pack.folder / graph.config.path)
        for graph in (part.detection, part.recognition)
    )
    return found, read
