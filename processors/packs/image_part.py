"""The manifest's part on the image expert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from processors.packs.parts import Calibration, Figures, LabelCard, Origin, PackFile, Part, Probability, Tensor
from schemas import LABELS

Side = Annotated[int, Meta(ge=16, le=4096)]


class ImageInput(Part, frozen=True, kw_only=True):
    """How a picture becomes the graph's input: resized to `resize` squared whatever its proportions, with `resample` as
    Pillow does it (smoothed where it shrinks); put through JPEG where `jpeg_quality` says so; the middle `size` squared
    cut out; then (value - mean) / std for each channel of 0..255, in the order of `channels`."""

    tensor: Tensor
    """Shape [pictures, …] as `layout` says; float16 or float32."""
    layout: Literal["nhwc", "nchw"]
    channels: Literal["rgb", "bgr"]
    resize: Side
    size: Side
    resample: Literal["bilinear", "bicubic"] = "bilinear"
    jpeg_quality: Annotated[int, Meta(ge=1, le=100)] | None = None
    """Written as JPEG and read again, for a graph that was trained on pictures which went through that."""
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
    """One per measured head."""
    thresholds: dict[str, Probability]
    """One per measured head: the pack's advice for labels that text alone does not show."""
    labels: dict[str, LabelCard]
    """A card per head."""
    precision: str = "fp32"
    """For people: `fp32`, `fp16`, …"""
    origin: Origin
    training: tuple[Origin, ...] = ()
    """What heads of our own were trained on, where there are any."""
    figures: Figures = {}

    @property
    def measured(self) -> tuple[str, ...]:
        """Labels that are published, in the order of the heads."""
        return tuple(head for head in self.heads if self.labels[head].status == "measured")

    def files(self) -> Iterator[tuple[str, PackFile]]:
        """(field, file) of every file that this part names."""
        yield "graph", self.graph

    def problems(self) -> Iterator[tuple[str, str]]:
        """(field, what is wrong and expected) of everything that the types alone do not catch."""
        for index, label in enumerate(self.heads):
            if label not in LABELS:
                yield f"heads[{index}]", f"{label!r} is no label; expected one of {', '.join(LABELS)}"
        if not self.heads or len(set(self.heads)) != len(self.heads):
            yield "heads", "empty, or a label stands twice; expected one head per label"
        if odd := set(self.heads) ^ set(self.labels):
            yield "labels", f"expected exactly the heads as keys; missing or too many: {', '.join(sorted(odd))}"
            return
        for group, found in (("calibration", set(self.calibration)), ("thresholds", set(self.thresholds))):
            if odd := found ^ set(self.measured):
                names = ", ".join(sorted(odd))
                yield group, f"expected exactly the measured heads as keys; missing or too many: {names}"
        if self.input.size > self.input.resize:
            yield "input.size", f"{self.input.size}, but pictures are resized to {self.input.resize}; expected no more"
        if min(self.input.std) <= 0:
            yield "input.std", f"{list(self.input.std)}; expected numbers above 0"
        if self.logits.name == self.features.name:
            yield "features.name", f"{self.features.name!r} are the logits too; expected two outputs"
