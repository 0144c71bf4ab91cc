"""Fit the head on clips of which the label is known, and nothing of where in the clip it shows.

A clip's logit is the highest of its segments', as a post's is of its windows' (Maron and Lozano-Pérez 1998, A Framework
for Multiple-Instance Learning). Repeatable from a seed, on one kind of machine.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models_export.audio_head.features import Spoken
from models_export.audio_head.network import AudioHead


@dataclass(frozen=True, slots=True)
class Recipe:
    seed: int = 7
    hidden: int = 128
    dropout: float = 0.3
    learning_rate: float = 5e-4
    weight_decay: float = 0.05
    clips: int = 64
    """Of a batch."""
    epochs: int = 100
    """At most: what is kept is the head of the epoch with the least loss on the clips held out of fitting."""
    patience: int = 12
    """Epochs without a lower loss there, after which it ends."""
    held_out: float = 0.15
    """Share of the train clips, by groups."""


@dataclass(frozen=True)
class Clips:
    """Clips in which something was heard, in parallel arrays."""

    spoken: Sequence[Spoken]
    truth: NDArray[np.float32]
    """Shape [clips, labels]: 1, 0, or NaN where not judged."""
    groups: NDArray[np.str_]


class _Table:
    """All segments in one table, and the clip that each is of."""

    def __init__(self, spoken: Sequence[Spoken]) -> None:
        self.features = torch.from_numpy(np.concatenate([clip.features for clip in spoken]))
        self.confidences = torch.from_numpy(np.concatenate([clip.confidences for clip in spoken]))
        counts = torch.tensor([len(clip.confidences) for clip in spoken])
        self.clip = torch.repeat_interleave(torch.arange(len(spoken)), counts)
        self.clips = len(spoken)

    def logits(self, head: AudioHead) -> Tensor:
        """[clips, labels]: the highest of each clip's segments."""
        own = head(self.features, self.confidences)
        lowest = torch.full((self.clips, own.shape[1]), -torch.inf)
        return lowest.scatter_reduce(0, self.clip[:, None].expand_as(own), own, "amax")


def fit(clips: Clips, recipe: Recipe) -> AudioHead:
    """The head, in evaluation mode. Raises ValueError where the groups are too few to hold some out."""
    held = held_out(clips.groups, recipe.held_out)
    seen, unseen = np.flatnonzero(~held).tolist(), np.flatnonzero(held).tolist()
    if not seen or not unseen:
        raise ValueError(f"{len(clips.groups)} clips are too few groups to hold some out; expected several")
    torch.manual_seed(recipe.seed)
    draw = np.random.default_rng(recipe.seed)
    table = _Table([clips.spoken[at] for at in seen])
    head = AudioHead(table.features.mean(0), table.features.std(0), recipe.hidden, clips.truth.shape[1], recipe.dropout)
    optimizer = torch.optim.AdamW(head.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    watched = _Table([clips.spoken[at] for at in unseen]), torch.from_numpy(clips.truth[unseen])
    best, kept, waited = float("inf"), copy.deepcopy(head), 0
    for _ in range(recipe.epochs):
        head.train()
        for rows in np.array_split(draw.permutation(seen), max(1, len(seen) // recipe.clips)):
            optimizer.zero_grad(set_to_none=True)
            batch = _Table([clips.spoken[at] for at in rows])
            _loss(batch.logits(head), torch.from_numpy(clips.truth[rows])).backward()
            optimizer.step()
        head.eval()
        with torch.no_grad():
            loss = float(_loss(watched[0].logits(head), watched[1]))
        if loss < best:
            best, kept, waited = loss, copy.deepcopy(head), 0
        elif (waited := waited + 1) >= recipe.patience:
            break
    return kept.eval()


def logits_of(head: AudioHead, spoken: Sequence[Spoken]) -> NDArray[np.float32]:
    """float32 [clips, labels], of clips in which something was heard."""
    with torch.no_grad():
        return _Table(spoken).logits(head).numpy()


def held_out(groups: NDArray[np.str_], share: float) -> NDArray[np.bool_]:
    """Which clips early stopping watches: by their group's name alone, so that more clips do not move the others."""
    numbers = [int.from_bytes(hashlib.sha256(f"held:{name}".encode()).digest()[:4]) for name in groups.tolist()]
    return np.array(numbers, np.float64) < share * 2**32


def _loss(logits: Tensor, truth: Tensor) -> Tensor:
    judged = ~torch.isnan(truth)
    return nn.functional.binary_cross_entropy_with_logits(logits[judged], truth[judged])
