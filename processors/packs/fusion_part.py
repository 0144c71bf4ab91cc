"""The manifest's part on how the experts' scores of one post become one."""

from __future__ import annotations

from processors.packs.parts import Figures, Origin, Part


class StackedLabel(Part, frozen=True, kw_only=True):
    """log-odds = bias + sum of weights times inputs; an input that a post does not have counts as 0."""

    bias: float
    weights: dict[str, float]
    """By the inputs' names (`processors.fuse.stacking.INPUTS`)."""


class Stacking(Part, frozen=True, kw_only=True):
    """Logistic stacking, for posts with pictures; a label without an entry is the highest of its experts' scores."""

    labels: dict[str, StackedLabel]
    training: tuple[Origin, ...]
    figures: Figures = {}
