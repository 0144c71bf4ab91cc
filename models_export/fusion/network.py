"""The fusion: words ask what pictures, frames and sounds show.

Every stream of media is resampled to a fixed number of latents (perceiver resampler), and tokens of words attend to
all latents in gated cross-attention layers, whose gates are tanh of a parameter that starts at 0: an untrained fusion
is a reader of words alone (Alayrac et al. 2022, Flamingo, arXiv:2204.14198, section 2.2 and figure 4).

A modality's weight, 0..1, is how far it is trusted. Attention to its tokens is multiplied by it (its log is added to
the logits), so that 0 hides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models_export.fusion.recipe import Shape

HIDDEN = -1e4
"""Added to the logits of tokens that are not to be seen: exp() of it is 0, also in float16."""

SMALLEST_WEIGHT = 1e-4
FEED_FORWARD = 4
"""Times the width."""


class Attention(nn.Module):
    """Queries [rows, n, width] over keys [rows, m, width], their logits moved by `bias` [rows, m] -> [rows, n, width].

    With nothing to see, all tokens being hidden, the outcome is 0.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_norm, self.key_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, asking: Tensor, seen: Tensor, bias: Tensor) -> Tensor:
        asking, seen = self.query_norm(asking), self.key_norm(seen)
        query, key, value = (self._split(part) for part in (self.query(asking), self.key(seen), self.value(seen)))
        logits = query @ key.transpose(-1, -2) / (query.shape[-1] ** 0.5) + bias[:, None, None, :]
        found = torch.softmax(logits, dim=-1) @ value
        merged = found.transpose(1, 2).flatten(2)
        visible = (bias > HIDDEN / 2).any(dim=1).to(merged.dtype)
        return self.out(merged) * visible[:, None, None]

    def _split(self, states: Tensor) -> Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def feed_forward(width: int, dropout: float) -> nn.Sequential:
    inner = FEED_FORWARD * width
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, width)
    )


class Resampler(nn.Module):
    """Tokens [rows, n, width] with their `bias` [rows, n] -> latents [rows, latents, width]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(shape.latents, shape.width) * 0.02)
        self.attention = nn.ModuleList(
            Attention(shape.width, shape.attention_heads) for _ in range(shape.resampler_layers)
        )
        self.ahead = nn.ModuleList(feed_forward(shape.width, shape.dropout) for _ in range(shape.resampler_layers))

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        # Sizes by `shape`, not `len`, which would be a constant of the exported graph.
        latents = self.latents.expand(tokens.shape[0], -1, -1)
        own = torch.zeros_like(bias[:, :1]).expand(-1, self.latents.shape[0])
        for attention, ahead in zip(self.attention, self.ahead, strict=True):
            # Latents see each other too, as in Flamingo.
            latents = latents + attention(latents, torch.cat([tokens, latents], 1), torch.cat([bias, own], 1))
            latents = latents + ahead(latents)
        return latents


class GatedLayer(nn.Module):
    """Words see each other, and then, as far as the gates are open, the media."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.words = Attention(shape.width, shape.attention_heads)
        self.words_ahead = feed_forward(shape.width, shape.dropout)
        self.media = Attention(shape.width, shape.attention_heads)
        self.media_ahead = feed_forward(shape.width, shape.dropout)
        self.gate, self.ahead_gate = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(self, words: Tensor, words_bias: Tensor, latents: Tensor, latents_bias: Tensor) -> Tensor:
        words = words + torch.tanh(self.gate) * self.media(words, latents, latents_bias)
        words = words + torch.tanh(self.ahead_gate) * self.media_ahead(words)
        words = words + self.words(words, words, words_bias)
        return words + self.words_ahead(words)


class FusionNetwork(nn.Module):
    """Streams of tokens and their weights -> logits."""

    def __init__(self, shape: Shape, sizes: Mapping[str, int], outputs: int) -> None:
        """`sizes`: stream -> features of each of its tokens. `outputs`: heads."""
        super().__init__()
        self.shape = shape
        self.streams = (*shape.words, *shape.media)
        self.enter = nn.ModuleDict({name: _entrance(sizes[name], shape) for name in self.streams})
        self.kind = nn.ParameterDict({name: torch.randn(shape.width) * 0.02 for name in self.streams})
        self.summary = nn.Parameter(torch.randn(shape.width) * 0.02)
        self.resampler = Resampler(shape)
        self.layers = nn.ModuleList(GatedLayer(shape) for _ in range(shape.layers))
        self.leave = nn.LayerNorm(shape.width)
        self.heads = nn.Linear(shape.width, outputs)
        self.words_view, self.media_view = (nn.Linear(shape.width, shape.width, bias=False) for _ in range(2))

    def forward(
        self, tokens: Mapping[str, Tensor], weights: Tensor, masks: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """tokens: stream -> [rows, n, size]; weights [rows, streams] in the order of `streams`; masks: stream -> bool
        [rows, n], False for padding. -> logits [rows, heads], and the two views of the contrastive loss [rows, width]
        each, of length 1: of the words before they have seen the media, and of the media's latents."""
        entered = {name: self.enter[name](tokens[name]) + self.kind[name] for name in self.streams}
        bias = {name: self._bias(weights[:, at], entered[name], masks, name) for at, name in enumerate(self.streams)}
        latents = torch.cat([self.resampler(entered[name], bias[name]) for name in self.shape.media], 1)
        shown = [self._stream_bias(weights, name)[:, None].expand(-1, self.shape.latents) for name in self.shape.media]
        latents_bias = torch.cat(shown, 1)
        summary = self.summary.expand(weights.shape[0], 1, -1)
        words = torch.cat([summary, *(entered[name] for name in self.shape.words)], 1)
        own = torch.zeros_like(weights[:, :1])
        words_bias = torch.cat([own, *(bias[name] for name in self.shape.words)], 1)
        said = self._said(words[:, 1:], words_bias[:, 1:])
        for layer in self.layers:
            words = layer(words, words_bias, latents, latents_bias)
        logits = self.heads(self.leave(words[:, 0]))
        return logits, said, nn.functional.normalize(self.media_view(_mean(latents, latents_bias)), dim=-1)

    def said(self, tokens: Mapping[str, Tensor], weights: Tensor) -> Tensor:
        """The words' view alone; `tokens` of the streams of words, without padding."""
        names = self.shape.words
        words = torch.cat([self.enter[name](tokens[name]) + self.kind[name] for name in names], 1)
        bias = [self._bias(weights[:, at], tokens[name], None, name) for at, name in enumerate(names)]
        return self._said(words, torch.cat(bias, 1))

    def _said(self, words: Tensor, bias: Tensor) -> Tensor:
        return nn.functional.normalize(self.words_view(_mean(words, bias)), dim=-1)

    def _bias(self, weight: Tensor, entered: Tensor, masks: Mapping[str, Tensor] | None, name: str) -> Tensor:
        bias = _log_weight(weight)[:, None].expand(-1, entered.shape[1])
        mask = masks.get(name) if masks is not None else None
        return bias if mask is None else torch.where(mask, bias, torch.full_like(bias, HIDDEN))

    def _stream_bias(self, weights: Tensor, name: str) -> Tensor:
        return _log_weight(weights[:, self.streams.index(name)])


def _entrance(size: int, shape: Shape) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(size), nn.Dropout(shape.dropout), nn.Linear(size, shape.width))


def _log_weight(weight: Tensor) -> Tensor:
    return torch.where(weight > 0, torch.log(weight.clamp(min=SMALLEST_WEIGHT)), torch.full_like(weight, HIDDEN))


def _mean(states: Tensor, bias: Tensor) -> Tensor:
    """The mean of the tokens that are shown, by weight; 0 where none is."""
    weight = torch.exp(bias)[..., None]
    return (states * weight).sum(1) / weight.sum(1).clamp(min=SMALLEST_WEIGHT)


class Ensemble(nn.Module):
    """The mean of the logits of several networks, of tokens without padding: what is exported and served."""

    def __init__(self, networks: Sequence[FusionNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, tokens: Mapping[str, Tensor], weights: Tensor) -> Tensor:
        return torch.stack([network(tokens, weights)[0] for network in self.networks]).mean(0)
