"""The network: six small convolutions over a line, and a weighted mean over its columns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models_export.script.layers import FLOOR, LAYERS, padding
from models_export.script.letters import SCRIPTS


class ScriptNetwork(nn.Module):
    """float32 [lines, 1, 32, width], grey, 0..1 -> logits [lines, scripts].

    Each line is first brought to mean 0 and about variance 1: how light or faint it is says nothing of its script.
    """

    def __init__(self) -> None:
        super().__init__()
        before = 1
        layers: list[nn.Module] = []
        for channels, kernel, stride in LAYERS:
            layers += [
                nn.Conv2d(before, channels, kernel, stride, padding(kernel), bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            before = channels
        self.layers = nn.Sequential(*layers)
        self.weight = nn.Conv2d(before, 1, 1)
        """How much a column counts, before the softmax over all: padding and gaps come to count little."""
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(before, len(SCRIPTS))

    def forward(self, lines: Tensor) -> Tensor:
        centred = lines - lines.mean((2, 3), keepdim=True)
        power = (centred * centred).mean((2, 3), keepdim=True)
        columns = self.layers(centred / torch.sqrt(power + FLOOR)).squeeze(2)
        weights = torch.softmax(self.weight(columns.unsqueeze(2)).squeeze(2), dim=-1)
        return self.head(self.dropout((columns * weights).sum(-1)))
