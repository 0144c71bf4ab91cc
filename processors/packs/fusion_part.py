"""The manifest's part on how the experts' scores of one post become one."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from processors.packs.parts import Figures, Origin, Part

STACKING_INPUTS = ("whole", "ocr", "no_ocr")
"""What a label can be stacked from, besides `image.<label>` for each label that the image expert was measured on:

whole           log-odds of the label over all that the text expert read; always there
ocr             log-odds of the label over the lines in the pictures alone; 0 without lines
no_ocr          1 where the pictures hold no lines, else 0
image.<label>   log-odds of that label, the highest of the pictures; 0 where no picture was judged
"""


class StackedLabel(Part, frozen=True, kw_only=True):
    """log-odds = bias + sum of weights times inputs."""

    bias: float
    weights: dict[str, float]
    """By the inputs' names; an input without a weight counts for nothing."""


class Stacking(Part, frozen=True, kw_only=True):
    """Logistic stacking, for posts with pictures; a label without an entry is the highest of its experts' scores."""

    labels: dict[str, StackedLabel]
    training: tuple[Origin, ...]
    figures: Figures = {}

    def problems(self, text_labels: Collection[str], image_labels: Collection[str]) -> Iterator[tuple[str, str]]:
        """(field, what is wrong and expected) of everything that the types alone do not catch."""
        inputs = (*STACKING_INPUTS, *(f"image.{label}" for label in image_labels))
        for label, stacked in self.labels.items():
            if label not in text_labels:
                yield (
                    f"labels.{label}",
                    f"the text expert does not assess it; expected some of {', '.join(text_labels)}",
                )
            for name in stacked.weights:
                if name not in inputs:
                    place = f"labels.{label}.weights.{name}"
                    yield place, f"no such input; expected some of {', '.join(inputs)}"
