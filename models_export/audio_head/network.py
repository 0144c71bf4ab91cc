"""The head: one hidden layer over a segment's features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALLEST_SPREAD = 1e-6
"""Of a feature: one that never varies says nothing and is only centred."""


class AudioHead(nn.Module):
    """features float32 [segments, width], confidences float32 [segments] -> logits [segments, labels].

    Features are standardised and then multiplied by the confidence: a stretch that was hardly understood is moved to
    the average one, of which the head knows nothing but how common a label is.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, centre: Tensor, spread: Tensor, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("spread", torch.where(spread > SMALLEST_SPREAD, spread, 1.0))
        self.hidden = nn.Linear(len(centre), hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, labels)

    def forward(self, features: Tensor, confidences: Tensor) -> Tensor:
        seen = (features - self.centre) / self.spread * confidences[:, None]
        return self.head(self.dropout(torch.relu(self.hidden(self.dropout(seen)))))
