"""The text expert: a multilingual encoder with a pruned vocabulary, mean pooling and one linear head per label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel

from models_export.text_expert.vocabulary import SPECIALS


class TextExpert(nn.Module):
    """ids, mask int64 [batch, tokens] -> logits float32 [batch, heads], pooled float32 [batch, width]."""

    def __init__(self, encoder: nn.Module, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, heads)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1)
        return self.head(self.dropout(pooled)).float(), pooled.float()


def from_backbone(folder: Path, origin: Sequence[int], heads: int) -> TextExpert:
    """The backbone with only the embeddings named by `origin` (see `vocabulary.prune`); new pieces start as noise.

    Embeddings of the kept pieces and the two lowest layers are frozen: they hold what the labelled languages share with
    the unlabelled ones, and most of the memory that training would move.
    """
    encoder = AutoModel.from_pretrained(folder, attn_implementation="sdpa")
    table: Tensor = encoder.embeddings.word_embeddings.weight.data
    keep = torch.tensor([max(at, 0) for at in origin])
    pruned = table[keep].clone()
    fresh = torch.tensor([at < 0 for at in origin])
    generator = torch.Generator().manual_seed(0)
    pruned[fresh] = table[len(SPECIALS) :].mean(0) + 0.02 * torch.randn(
        int(fresh.sum()), table.shape[1], generator=generator
    )
    encoder.embeddings.word_embeddings = PartlyFrozenEmbedding(pruned, fresh)
    encoder.config.vocab_size = len(origin)
    model = TextExpert(encoder, heads)
    for part in (
        encoder.embeddings.position_embeddings,
        encoder.embeddings.token_type_embeddings,
        encoder.embeddings.LayerNorm,
        *encoder.encoder.layer[:2],
    ):
        part.requires_grad_(requires_grad=False)
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
