"""Losses of the fusion: judged heads, words and media that belong together, and the balance between them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


def judged_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Binary cross-entropy [heads], averaged over the rows that judge a head; 0 where none does.

    logits, wanted float32 [rows, heads]; `wanted` is NaN where not judged.
    """
    known = ~torch.isnan(wanted)
    each = nn.functional.binary_cross_entropy_with_logits(logits, torch.nan_to_num(wanted), reduction="none")
    return (each * known).sum(0) / known.sum(0).clamp(min=1)


def contrastive_loss(words: Tensor, media: Tensor, temperature: float, hard: Tensor | None = None) -> Tensor:
    """InfoNCE both ways over the batch (van den Oord et al. 2018, arXiv:1807.03748; as in CLIP, arXiv:2103.00020).

    words, media float [rows, width] of length 1, row by row of one post; hard [rows, n, width]: words of other posts
    that are like the row's own, further negatives of its media. 0 for a batch without two rows.
    """
    if len(words) < 2:
        return words.sum() * 0.0
    alike = media @ words.T / temperature
    belongs = torch.arange(len(words), device=words.device)
    asked = alike
    if hard is not None and hard.shape[1]:
        asked = torch.cat([alike, torch.einsum("rw,rnw->rn", media, hard) / temperature], 1)
    return (nn.functional.cross_entropy(asked, belongs) + nn.functional.cross_entropy(alike.T, belongs)) / 2


class Balance(nn.Module):
    """The sum of losses, each by how uncertain it is: exp(-s) L + s / 2 with a learnt s = log of its variance, from 0
    (Kendall et al. 2018, arXiv:1705.07115, equation 10). `equal`: their plain sum."""

    def __init__(self, losses: int, how: Literal["uncertainty", "equal"]) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(losses), requires_grad=how == "uncertainty")

    def forward(self, losses: Tensor) -> Tensor:
        """[losses] -> []."""
        return (torch.exp(-self.log_variance) * losses + self.log_variance / 2).sum()


def hidden_modalities(weights: Tensor, drop: float, random: torch.Generator) -> Tensor:
    """ModDrop (Neverova et al. 2014, arXiv:1501.00102): the weights [rows, modalities] with each modality at 0 with a
    chance of `drop`, but never all that a row has."""
    kept = torch.rand(weights.shape, generator=random, device=weights.device) >= drop
    dropped = weights * kept
    lost = (dropped > 0).sum(1) == 0
    return torch.where(lost[:, None], weights, dropped)
