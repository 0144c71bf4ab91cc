"""How the lines of a panel are called."""

from __future__ import annotations

from streams.metrics.specs import Spec
from streams.watch.promql import TARGET_LABELS, Recorded

QUANTILES = (0.5, 0.95, 0.99)
"""Of times: the usual one, a slow one, and what one in a hundred gets."""


def by_labels(source: Spec | Recorded, *labels: str) -> str:
    """A legend of label values."""
    if strange := set(labels) - {*source.labels, *TARGET_LABELS}:
        raise ValueError(f"{source.name} has no label {sorted(strange)}")
    return " ".join(f"{{{{{label}}}}}" for label in labels)
