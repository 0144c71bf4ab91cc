"""The loss of a batch in which every row is judged on some heads only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models_export.text_expert.heads import LABELS

RARE = 0.08
"""A head with fewer positives among its judgements gets a focal loss: most of its rows are easy negatives."""

FOCUS = 2.0
"""Exponent of the focal loss (Lin et al. 2017, arXiv:1708.02002)."""

WEIGHTS = {"abuse": 1.0, "hate": 1.0}
LABEL_WEIGHT = 0.5
"""Other labels have a tenth of the rows, and are read beside these two."""
FINE_WEIGHT = 0.3
"""Targets, attacks and the rest."""


def head_weights(heads: Sequence[str]) -> Tensor:
    """float32 [heads]."""
    return torch.tensor([WEIGHTS.get(head, LABEL_WEIGHT if head in LABELS else FINE_WEIGHT) for head in heads])


def head_focus(shares: Sequence[float]) -> Tensor:
    """The focal exponent of each head by its share of positives, float32 [heads]; 0 is plain cross-entropy."""
    return torch.tensor([FOCUS if share < RARE else 0.0 for share in shares])


def masked_loss(logits: Tensor, wanted: Tensor, weights: Tensor, focus: Tensor) -> Tensor:
    """Binary cross-entropy, averaged per head over the rows that judge it and then over the heads seen, a head weighing
    more the more rows judge it.

    logits, wanted float32 [rows, heads], `wanted` NaN where not judged; weights, focus float32 [heads].
    """
    known = ~torch.isnan(wanted)
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.nan_to_num(wanted), reduction="none")
    # The probability of what is wanted is exp(-each).
    each = each * (1 - torch.exp(-each.detach())) ** focus * known
    seen = known.sum(0)
    weight = weights * seen / known.shape[0]
    per_head = each.sum(0) / seen.clamp(min=1)
    return (per_head * weight).sum() / weight.sum().clamp(min=1e-6)
