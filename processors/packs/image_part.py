"""The manifest's part on the image expert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from processors.packs.parts import Calibration, Figures, LabelCard, Origin, PackFile, Part, Tensor


class ImageInput(Part, frozen=True, kw_only=True):
    """How a picture becomes the graph's input: resized to `resize` squared, the middle `size` squared cut out, then
    (value - mean) / std for each channel of 0..255, in the order of `channels`."""

    tensor: Tensor
    layout: Literal["nhwc", "nchw"]
    channels: Literal["rgb", "bgr"]
    resize: Annotated[int, Meta(ge=16, le=4096)]
    size: Annotated[int, Meta(ge=16, le=4096)]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class ImageExpert(Part, frozen=True, kw_only=True):
    """The graph that looks at pictures."""

    graph: PackFile
    input: ImageInput
    logits: Tensor
    """Shape [pictures, heads], before calibration."""
    features: Tensor
    """Shape [pictures, features_size], pooled."""
    features_size: Annotated[int, Meta(ge=1, le=65_536)]
    heads: tuple[str, ...]
    """The label of each column of the logits."""
    calibration: dict[str, Calibration]
    """One per head."""
    labels: dict[str, LabelCard]
    """A card per head."""
    origin: Origin
    figures: Figures = {}

    def files(self) -> Iterator[tuple[str, PackFile]]:
        """(field, file) of every file that this part names."""
        yield "graph", self.graph
