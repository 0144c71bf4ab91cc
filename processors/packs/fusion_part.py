"""The manifest's parts on how the experts' scores of one post become one: how far each is trusted, and the fusion."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from msgspec import Meta

from processors.packs.parts import (
    Calibration,
    Figures,
    LabelCard,
    Origin,
    PackFile,
    Part,
    Tensor,
)
from schemas import MODALITIES


class Ramp(Part, frozen=True, kw_only=True):
    """A quality as a weight: 0 at `none` and beyond, 1 at `full` and beyond, linear between. It falls where `none` is
    the greater."""

    none: float
    full: float

    def weight(self, value: float) -> float:
        """0..1. A value that is no number is worth nothing."""
        share = (value - self.none) / (self.full - self.none)
        return min(1.0, max(0.0, share)) if share == share else 0.0


class Gating(Part, frozen=True, kw_only=True):
    """How far a modality's score is trusted: the product of its ramps, and at least `least`.

    The quality features are those of `processors.pack.features`.
    """

    least: Annotated[float, Meta(gt=0, le=1)] = 0.1
    """Of what was judged at all. Above 0: a witness that is hardly heard still stands for a review."""
    text_letters: Ramp = Ramp(none=0.0, full=4.0)
    """Letters and digits of the post's own text. What the text expert flags in 4 to 8 letters is as often right (78% of
    54 texts) as in longer texts (80% of 7,313); in fewer than 4 it is not (72% of 25)."""
    unknown_share: Ramp = Ramp(none=0.5, full=0.1)
    """Share of letters that the vocabulary lacks, of text, lines and speech alike; from 0.5 on a text is `partial`."""
    ocr_confidence: Ramp = Ramp(none=0.5, full=0.85)
    """Mean confidence of the reading. Lines under 0.5 count as not read."""
    ocr_coverage: Ramp = Ramp(none=0.0, full=0.01)
    """Largest share of a picture's area that lines take: less is the small print of a watermark or of a shop sign."""
    asr_confidence: Ramp = Ramp(none=0.3, full=0.7)
    """Mean confidence of the hearing."""
    asr_unsafe_ratio: Ramp = Ramp(none=1.0, full=0.1)
    """Share of the seconds heard that are not to be trusted."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """(field, what is wrong and expected) of everything that the types alone do not catch."""
        for name in self.__struct_fields__:
            ramp = getattr(self, name)
            if isinstance(ramp, Ramp) and ramp.none == ramp.full:
                yield name, f"none and full are both {ramp.none:g}; expected two numbers with a way between them"


class FusionToken(Part, frozen=True, kw_only=True):
    """One modality's input to the fusion graph."""

    tensor: Tensor
    """Shape [posts, size]; zeros where the post lacks the modality."""
    size: Annotated[int, Meta(ge=1, le=65_536)]


class FusionExpert(Part, frozen=True, kw_only=True):
    """The graph that judges words and pictures together, for posts with pictures that the text expert has read
    something of.

    A label that it was measured on is its probability, or that of a modality which it was not shown, not shown whole or
    with less than the whole weight, where that is higher. Any other label is the highest of its experts' scores.
    """

    graph: PackFile
    tokens: Mapping[str, FusionToken]
    """By modality, each once: `image` are the image expert's features, the others the text expert's embedding of that
    modality's words."""
    weights: Tensor
    """Shape [posts, tokens]: how far each modality is trusted, in the order of `tokens`; 0 where the post lacks it."""
    logits: Tensor
    """Shape [posts, heads], before calibration."""
    heads: tuple[str, ...]
    """The label of each column of the logits."""
    calibration: dict[str, Calibration]
    """One per measured head."""
    labels: dict[str, LabelCard]
    """A card per head."""
    licence: str
    """Under which the graph may be used, as what it was trained on allows."""
    training: tuple[Origin, ...]
    figures: Figures = {}

    @property
    def measured(self) -> tuple[str, ...]:
        """Labels that are published, in the order of the heads."""
        return tuple(head for head in self.heads if self.labels[head].status == "measured")

    def files(self) -> Iterator[tuple[str, PackFile]]:
        """(field, file) of every file that this part names."""
        yield "graph", self.graph

    def problems(
        self, text_labels: Collection[str], embedding_size: int, features_size: int | None
    ) -> Iterator[tuple[str, str]]:
        """(field, what is wrong and expected) of everything that the types alone do not catch.

        `text_labels`: what the text expert is measured on. `features_size`: the image expert's, None without one.
        """
        for name, token in self.tokens.items():
            if name not in MODALITIES:
                yield f"tokens.{name}", f"no such modality; expected some of {', '.join(MODALITIES)}"
                continue
            size = features_size if name == "image" else embedding_size
            if not token.tensor.dtype.startswith("float"):
                yield f"tokens.{name}.tensor.dtype", f"{token.tensor.dtype}; expected float32 or float16"
            if token.size != size:
                had = "no image expert" if size is None else f"features of {size} numbers"
                yield f"tokens.{name}.size", f"{token.size}, but the pack has {had}; expected the same"
        if "image" not in self.tokens or len(self.tokens) < 2:
            yield "tokens", f"{', '.join(self.tokens) or 'none'}; expected image and words, or there is nothing to fuse"
        names = [*(token.tensor.name for token in self.tokens.values()), self.weights.name]
        if len(set(names)) < len(names):
            yield "tokens", f"they and the weights are {', '.join(names)} of the graph; expected one tensor each"
        if not self.heads or len(set(self.heads)) != len(self.heads):
            yield "heads", "empty, or a label stands twice; expected one head per label"
        if odd := set(self.heads) ^ set(self.labels):
            yield "labels", f"expected exactly the heads as keys; missing or too many: {', '.join(sorted(odd))}"
            return
        if not self.measured:
            yield "labels", "no head is measured; expected at least one, or the fusion says nothing"
        for label in self.measured:
            if label not in text_labels:
                yield f"labels.{label}", f"the text expert is not measured on it; expected {', '.join(text_labels)}"
        if odd := set(self.calibration) ^ set(self.measured):
            names = ", ".join(sorted(odd))
            yield "calibration", f"expected exactly the measured heads as keys; missing or too many: {names}"
