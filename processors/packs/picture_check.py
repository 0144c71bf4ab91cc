"""`modstream pack check`, pictures: the image graph does what the manifest says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from processors.encode import ImageExpertModel, check_image_signature, cut_out
from processors.encode.picture import Pixels
from processors.engines import EngineError, OnnxEngine
from processors.packs.image_part import ImageExpert
from processors.packs.pack import Pack

MAX_MOVE = 1e-4
"""How far a picture's log-odds may move with its neighbours: a twentieth of what a decision may move by. Convolutions
in fp32 move by nothing to 1e-5."""

Found = tuple[str | None, str]
"""(field of the manifest, or None for the graph itself; problem)."""


def check_image(pack: Pack, expert: ImageExpert) -> Iterator[Found]:
    """Every problem of the image expert. The graph is run on the CPU."""
    try:
        engine = OnnxEngine(pack.folder / expert.graph.path)
    except EngineError as error:
        yield None, str(error)
        return
    wrong = list(check_image_signature(engine, expert))
    yield from wrong
    if not wrong:
        yield from _determinism(ImageExpertModel(engine, expert), expert)


def _determinism(model: ImageExpertModel, expert: ImageExpert) -> Iterator[Found]:
    pictures = [cut_out(picture, expert.input) for picture in _pictures()]
    try:
        together, features = model(pictures)
        reverse = model(pictures[::-1])[0][::-1]
        alone = np.concatenate([model([picture])[0] for picture in pictures])
    except EngineError as error:
        yield None, f"a run failed: {error}"
        return
    if not (np.isfinite(together).all() and np.isfinite(features).all()):
        yield None, "gives logits or features that are not finite; expected numbers"
        return
    move = max(float(np.abs(together - alone).max()), float(np.abs(reverse - alone).max()))
    if move > MAX_MOVE:
        yield (
            "image.graph",
            f"a picture's logit moves by {move:.2g} with its neighbours; expected at most {MAX_MOVE:g}: a graph in "
            "which pictures do not influence each other",
        )


def _pictures() -> list[Pixels]:
    """Black, white, a slope, stripes and noise, in sizes that must be stretched and shrunk."""
    random = np.random.default_rng(0)
    slope: NDArray[np.float64] = np.linspace(0, 255, 640)[None, :, None] * np.ones((480, 1, 3))
    stripes: NDArray[np.int64] = np.arange(300)[:, None, None] % 20 // 10 * 255 * np.ones((1, 90, 3), np.int64)
    shown = [np.zeros((64, 64, 3)), np.full((10, 700, 3), 255), slope, stripes, random.integers(0, 256, (256, 256, 3))]
    return [picture.astype(np.uint8) for picture in shown]
