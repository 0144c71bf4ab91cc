"""The text expert: a multilingual encoder with a pruned vocabulary, a branch that reads characters, linear heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModel

from models_export.text_expert.adapters import Languages, SpokenIn, add_language_adapters, tune
from models_export.text_expert.recipe import Recipe
from models_export.text_expert.spelling import CODES, NOTHING
from models_export.text_expert.vocabulary import SPECIALS
from processors.pack.layout import UNKNOWN_LANGUAGE

CHARACTER_WIDTH = 32
CHARACTER_FILTERS = 64
CHARACTER_SPANS = (3, 5, 7)
"""Characters that a filter sees (Kim 2014, arXiv:1408.5882, on characters: a word, disguised with a sign between its
letters, is within seven)."""


class CharacterBranch(nn.Module):
    """The characters of a window's pieces, joined without gaps, through filters of several spans; the highest of each.

    ids, mask int64 [batch, tokens] -> float32 [batch, spans * filters], at least 0. Padding has no characters, so
    neighbours in a batch do not matter.
    """

    table: Tensor

    def __init__(self, table: NDArray[np.uint8]) -> None:
        """`table`: see `spelling.spelling_table`."""
        super().__init__()
        self.register_buffer("table", torch.from_numpy(table))
        self.letters = nn.Embedding(CODES, CHARACTER_WIDTH, padding_idx=NOTHING)
        self.filters = nn.ModuleList(
            nn.Conv1d(CHARACTER_WIDTH, CHARACTER_FILTERS, span, padding=span // 2) for span in CHARACTER_SPANS
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        codes = (self.table[ids] * mask.unsqueeze(-1)).flatten(1)
        order = torch.argsort((codes == NOTHING).to(torch.int8), dim=1, stable=True)
        longest = max(1, int((codes != NOTHING).sum(1).max()))
        return self.read(codes.gather(1, order)[:, :longest])

    def read(self, codes: Tensor) -> Tensor:
        """Characters without gaps, int64 [batch, characters], through the filters."""
        seen = self.letters(codes).transpose(1, 2)
        there = (codes != NOTHING).unsqueeze(1)
        return torch.cat([(torch.relu(read(seen)) * there).amax(2) for read in self.filters], 1)


class TextExpert(nn.Module):
    """ids, mask int64 [batch, tokens] -> logits float32 [batch, heads], pooled float32 [batch, width]."""

    def __init__(self, encoder: nn.Module, heads: int, table: NDArray[np.uint8]) -> None:
        super().__init__()
        self.encoder = encoder
        self.languages: Languages | None = None
        self.spoken = SpokenIn()
        self.characters = CharacterBranch(table)
        spelt = len(CHARACTER_SPANS) * CHARACTER_FILTERS
        self.head = nn.Linear(encoder.config.hidden_size + spelt, heads)

    def adapt_languages(self, languages: Languages, bottleneck: int) -> None:
        """Give each language adapters of its own."""
        self.languages = languages
        add_language_adapters(self.encoder, self.spoken, languages.count, bottleneck)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        if self.languages is not None:
            self.spoken.rows = self.languages(ids)
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1)
        return self.head(torch.cat([pooled, self.characters(ids, mask).to(pooled.dtype)], 1)).float(), pooled.float()


def from_backbone(
    folder: Path,
    origin: Sequence[int],
    heads: int,
    table: NDArray[np.uint8],
    recipe: Recipe,
    tags: Mapping[str, int],
) -> TextExpert:
    """The backbone with only the embeddings named by `origin` (see `vocabulary.prune`); new pieces start as noise.

    Embeddings of the kept pieces and the lowest layers are frozen: they hold what the labelled languages share with
    the unlabelled ones, and most of the memory that training would move. `tags`: language -> token id, for language
    adapters where the recipe asks for them.

    Without dropout: within two readings of the data nothing is learnt by heart, and drawing the masks takes a fifth of
    a core's time. Attention is written out: on a CPU the fused kernel takes longer in bfloat16.
    """
    encoder = AutoModel.from_pretrained(
        folder, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    words: Tensor = encoder.embeddings.word_embeddings.weight.data
    keep = torch.tensor([max(at, 0) for at in origin])
    pruned = words[keep].clone()
    fresh = torch.tensor([at < 0 for at in origin])
    generator = torch.Generator().manual_seed(0)
    pruned[fresh] = words[len(SPECIALS) :].mean(0) + 0.02 * torch.randn(
        int(fresh.sum()), words.shape[1], generator=generator
    )
    encoder.embeddings.word_embeddings = PartlyFrozenEmbedding(pruned, fresh)
    encoder.config.vocab_size = len(origin)
    model = TextExpert(encoder, heads, table)
    tune(encoder, recipe)
    if recipe.language_adapters:
        model.adapt_languages(Languages(tags, len(origin), UNKNOWN_LANGUAGE), recipe.language_adapters)
    return model


class PartlyFrozenEmbedding(nn.Module):
    """A frozen table whose last rows (the pieces that the backbone lacked) are trained."""

    def __init__(self, table: Tensor, fresh: Tensor) -> None:
        super().__init__()
        known = int((~fresh).sum())
        if bool(fresh[:known].any()):
            raise ValueError("new pieces must stand behind the backbone's own")
        self.known = nn.Parameter(table[:known].clone(), requires_grad=False)
        self.fresh = nn.Parameter(table[known:].clone())

    def forward(self, ids: Tensor) -> Tensor:
        known = self.known.shape[0]
        out = nn.functional.embedding(ids.clamp(max=known - 1), self.known)
        return torch.where(
            (ids >= known).unsqueeze(-1), nn.functional.embedding((ids - known).clamp(min=0), self.fresh), out
        )
