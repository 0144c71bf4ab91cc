"""What is trained beside a frozen encoder: low-rank updates of its matrices, and small adapters for each language.

Low-rank updates are peft's (`modstream[train]`); before export they are added to the matrices, so that a pack has none.
Language adapters stay: which one a window goes through depends on its language token.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models_export.text_expert.recipe import Lora, Recipe

ADAPTER = "lora"


def add_lora(encoder: nn.Module, lora: Lora) -> None:
    """Put low-rank updates beside the encoder's linear maps; all else of the encoder is frozen.

    Raises ValueError where the encoder has none of the targets.
    """
    from peft import LoraConfig, inject_adapter_in_model

    names = {name.rpartition(".")[2] for name, module in encoder.named_modules() if isinstance(module, nn.Linear)}
    targets = sorted(names & set(lora.targets))
    if not targets:
        raise ValueError(
            f"lora.targets: the backbone has no {', '.join(lora.targets)}; expected some of {', '.join(sorted(names))}"
        )
    unread = ["pooler.dense"] if getattr(encoder, "pooler", None) is not None else None
    config = LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=0.0, target_modules=targets, exclude_modules=unread
    )
    inject_adapter_in_model(config, encoder, adapter_name=ADAPTER)


def merge_lora(encoder: nn.Module) -> None:
    """Add the updates to their matrices and take them out: the encoder computes the same without peft."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(encoder.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge()
            parent, _, last = name.rpartition(".")
            setattr(encoder.get_submodule(parent), last, module.get_base_layer())


def merged_weights(weights: Mapping[str, NDArray[np.float32]], lora: Lora) -> dict[str, NDArray[np.float32]]:
    """The weights of a training folder, under the names and with the values that `merge_lora` leaves behind."""
    base, down, up = ".base_layer", f".lora_A.{ADAPTER}.weight", f".lora_B.{ADAPTER}.weight"
    merged: dict[str, NDArray[np.float32]] = {}
    for name, value in weights.items():
        if name.endswith(f"{base}.weight"):
            stem = name.removesuffix(f"{base}.weight")
            value = (value + lora.alpha / lora.rank * (weights[stem + up] @ weights[stem + down])).astype(np.float32)
        if not name.endswith((down, up)):
            merged[name.replace(base, "")] = value
    return merged


class SpokenIn:
    """The languages of the batch that is being read: what the adapters of all layers look at."""

    rows: Tensor | None = None
    """int64 [batch]: 0 for a language without adapters."""


class LanguageAdapter(nn.Module):
    """states + up(relu(down(states))), with matrices of each row's own language; at first states alone."""

    def __init__(self, inner: nn.Module, spoken: SpokenIn, languages: int, width: int, bottleneck: int) -> None:
        super().__init__()
        self.inner = inner
        self._spoken = spoken
        # Of language 0, which has no adapter, `up` is never anything but zero.
        self.down = nn.Parameter(torch.empty(languages, width, bottleneck))
        self.up = nn.Parameter(torch.zeros(languages, bottleneck, width))
        nn.init.normal_(self.down, std=width**-0.5)

    def forward(self, *given: Tensor) -> Tensor:
        """[batch, tokens, width], as the encoder's own output of a layer."""
        states = self.inner(*given)
        rows = self._spoken.rows
        if rows is None:
            raise RuntimeError("language adapters without languages; expected a call through TextExpert")
        down, up = self.down[rows].to(states.dtype), (self.up * self._speaks())[rows].to(states.dtype)
        return states + torch.relu(states @ down) @ up

    def _speaks(self) -> Tensor:
        return (torch.arange(len(self.up), device=self.up.device) > 0).to(self.up.dtype)[:, None, None]


class Languages(nn.Module):
    """Token ids -> the adapter of each row's language tag."""

    table: Tensor

    def __init__(self, tags: Mapping[str, int], pieces: int, unknown: str) -> None:
        """`tags`: language -> its token id; `unknown` is the tag that has no adapter."""
        super().__init__()
        table = torch.zeros(pieces, dtype=torch.int64)
        named = sorted(tag for tag in tags if tag != unknown)
        for at, tag in enumerate(named, start=1):
            table[tags[tag]] = at
        self.count = len(named) + 1
        self.register_buffer("table", table)

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [batch]. A window has one tag at most, and no text can write one."""
        return self.table[ids].amax(1)


def add_language_adapters(encoder: nn.Module, spoken: SpokenIn, languages: int, bottleneck: int) -> None:
    """An adapter behind every layer of the encoder (where Pfeiffer et al. put it: behind the feed-forward part)."""
    width = encoder.config.hidden_size
    for layer in encoder.encoder.layer:
        layer.output = LanguageAdapter(layer.output, spoken, languages, width, bottleneck)


def tune(encoder: nn.Module, recipe: Recipe) -> None:
    """Freeze what the recipe says, and add low-rank updates where it asks for them.

    Before `add_language_adapters`, whose weights are always trained, and but for new pieces, which always are too.
    """
    if recipe.tuning == "lora":
        add_lora(encoder, recipe.lora)
        encoder.embeddings.word_embeddings.fresh.requires_grad_()
        return
    places = (getattr(encoder.embeddings, name, None) for name in ("position_embeddings", "token_type_embeddings"))
    parts = [encoder.embeddings.LayerNorm, *encoder.encoder.layer[: recipe.frozen_layers]]
    parts += [part for part in places if part is not None]
    for part in parts:
        part.requires_grad_(requires_grad=False)
