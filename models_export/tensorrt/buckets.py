"""Which graphs of a pack become engines, and the shapes each is built for: a function of the manifest alone.

A bucket is an optimisation profile: TensorRT tunes one set of kernels for it. Few buckets build fast and waste kernels
on sizes far from the tuned one, many build slowly; edges that double keep both within a factor of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from processors.encode.image import GPU_PICTURES
from processors.engines.profiles import Profile, ShapeRange
from processors.ocr.detection import STRIDE
from processors.ocr.models import GPU_RUNS
from processors.ocr.options import OcrOptions
from processors.ocr.recognition import MAX_WIDTH, MIN_WIDTH
from processors.packs.engine_check import VAD_GRAPH
from processors.packs.fusion_part import FusionExpert
from processors.packs.image_part import ImageExpert
from processors.packs.manifest import Manifest, TextExpert
from processors.packs.ocr_part import OcrModels

FIRST_TOKENS = 32
"""The first bucket of texts: half of the posts are shorter."""
TEXT_ROWS = 64
"""As `BucketedRunner` has them."""

RECOGNITION_HEIGHT = 48
DETECTION_SIDES = (480, 736)
"""Long sides below the setting's own; tiny pictures are enlarged to 448, a screenshot has about 720."""
FIRST_COLUMNS = 96

FUSED_POSTS = 64

VAD_STEPS = (128, 1_024, 10_000)
"""Steps of 32 ms: 4 s, a window of 30 s, and what faster-whisper gives in one run."""
VAD_WIDTH, VAD_STATE = 576, 128


@dataclass(frozen=True, slots=True)
class GraphBuckets:
    """A graph and the shapes that its engine takes."""

    name: str
    path: str
    """Below the pack's folder."""
    buckets: tuple[Profile, ...]


def buckets_of(manifest: Manifest, *, detection_side: int | None = None) -> list[GraphBuckets]:
    """Every graph of the pack that serves on a GPU; the script expert is too small to be worth a copy up and down.

    `detection_side`: the setting `ocr.detection_side` of the workers that will run the engines.
    """
    text = manifest.text
    found = [GraphBuckets("text", text.graph.path, tuple(_text(text)))]
    if manifest.image is not None:
        found.append(GraphBuckets("image", manifest.image.graph.path, (_image(manifest.image),)))
    if manifest.ocr is not None:
        found += _ocr(manifest.ocr, detection_side or OcrOptions().detection_side)
    if manifest.fusion is not None:
        found.append(GraphBuckets("fusion", manifest.fusion.graph.path, (_fusion(manifest.fusion),)))
    return found


def vad_buckets() -> GraphBuckets:
    """Silero's graph as faster-whisper calls it: a sound a run, its state carried from run to run."""
    state = _fixed(1, 1, VAD_STATE)
    buckets = tuple(
        {"input": _range((low, VAD_WIDTH), (high, VAD_WIDTH), (high, VAD_WIDTH)), "h": state, "c": state}
        for low, high in _spans(VAD_STEPS)
    )
    return GraphBuckets("vad", VAD_GRAPH, buckets)


def doubling(first: int, last: int) -> tuple[int, ...]:
    """Upper edges: `first`, twice that, … and `last`."""
    edges: list[int] = []
    while first < last:
        edges.append(first)
        first *= 2
    return (*edges, last)


def _spans(edges: tuple[int, ...], least: int = 1) -> Iterator[tuple[int, int]]:
    for edge in edges:
        yield least, edge
        least = edge + 1


def _text(expert: TextExpert) -> Iterator[Profile]:
    rows = 1 if expert.isolation == "row" else TEXT_ROWS
    for low, high in _spans(doubling(FIRST_TOKENS, expert.layout.window_tokens)):
        shape = _range((1, low), (min(rows, 16), high), (rows, high))
        yield {expert.inputs.ids.name: shape, expert.inputs.mask.name: shape}


def _image(expert: ImageExpert) -> Profile:
    side = expert.input.size
    picture = (3, side, side) if expert.input.layout == "nchw" else (side, side, 3)
    pictures = _range((1, *picture), (GPU_PICTURES, *picture), (GPU_PICTURES, *picture))
    return {expert.input.tensor.name: pictures}


def _ocr(models: OcrModels, side: int) -> Iterator[GraphBuckets]:
    """PaddleOCR's graphs call their input `x`."""
    side = -(-side // STRIDE) * STRIDE
    edges = [edge for edge in DETECTION_SIDES if edge < side] + [side]
    rows = GPU_RUNS.pictures
    # A bucket by the longer side: pictures may be of any proportion, so that every bucket begins at one stride.
    detection = tuple(
        {"x": _range((1, 3, STRIDE, STRIDE), (rows, 3, edge, edge), (rows, 3, edge, edge))} for edge in edges
    )
    yield GraphBuckets("ocr.detection", models.detection.graph.path, detection)
    recognition: list[Profile] = []
    for low, high in _spans(doubling(FIRST_COLUMNS, MAX_WIDTH), MIN_WIDTH):
        crops = max(1, GPU_RUNS.columns // low)  # as the recogniser fills a run
        shapes = ((1, low), (max(1, crops // 4), high), (crops, high))
        least, best, most = ((count, 3, RECOGNITION_HEIGHT, width) for count, width in shapes)
        recognition.append({"x": _range(least, best, most)})
    yield GraphBuckets("ocr.recognition", models.recognition.graph.path, tuple(recognition))


def _fusion(expert: FusionExpert) -> Profile:
    profile = {
        token.tensor.name: _range((1, token.size), (1, token.size), (FUSED_POSTS, token.size))
        for token in expert.tokens.values()
    }
    count = len(expert.tokens)
    return {**profile, expert.weights.name: _range((1, count), (1, count), (FUSED_POSTS, count))}


def _range(least: tuple[int, ...], best: tuple[int, ...], most: tuple[int, ...]) -> ShapeRange:
    return ShapeRange(least=least, best=best, most=most)


def _fixed(*shape: int) -> ShapeRange:
    return _range(shape, shape, shape)
