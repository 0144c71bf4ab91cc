"""Training a fusion by its recipe: stages, ModDrop, losses; from a seed, with its curves."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models_export.fusion.features import Features
from models_export.fusion.losses import Balance, contrastive_loss, hidden_modalities, judged_loss
from models_export.fusion.network import Ensemble, FusionNetwork
from models_export.fusion.recipe import Recipe, RecipeError, Stage

CONFIGURATION, CURVES, WEIGHTS = "configuration.json", "curves.jsonl", "weights.pt"
"""What a run's folder holds: the recipe with the features' hash and sizes; a line per epoch; the networks."""

CLIP = 1.0
"""Of the gradient's norm: small batches of noisy labels make large steps now and then."""


@dataclasses.dataclass(frozen=True)
class Batch:
    tokens: dict[str, Tensor]
    weights: Tensor
    """[rows, streams], in the order of the network's."""
    wanted: Tensor
    hard: Tensor
    """int64 [rows, n]: rows of the features whose words are like the row's own."""


def streams_of(recipe: Recipe, features: Features) -> tuple[str, ...]:
    """The network's streams, in its order. Raises `RecipeError` for one that the features lack."""
    streams = (*recipe.shape.words, *recipe.shape.media)
    if missing := [name for name in streams if name not in features.tokens]:
        had = ", ".join(features.tokens)
        raise RecipeError(f"shape: no features of {', '.join(missing)}; expected streams among {had}")
    return streams


class Trainer:
    """One network of the ensemble, and what trains it."""

    def __init__(self, recipe: Recipe, features: Features, seed: int, experts: nn.ModuleDict | None = None) -> None:
        """`experts`: stream -> module from what is given to tokens [rows, n, size], trained in stage B; a stream
        without one is given as tokens. Raises `RecipeError` for streams that the features lack, and for a stage B
        without experts: pooled features are what they are."""
        streams = streams_of(recipe, features)
        if experts is None and any(stage.experts_rate for stage in recipe.stages):
            raise RecipeError(
                "stages: B trains the experts, and features that were pooled before have none; expected A"
            )
        self.recipe, self.features, self.experts = recipe, features, experts
        self._random = torch.Generator().manual_seed(seed)
        self._order = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self._given = {name: torch.from_numpy(np.asarray(features.tokens[name])) for name in streams}
        self._weights = torch.from_numpy(np.stack([features.weights[name] for name in streams], 1).astype(np.float32))
        self._wanted = torch.from_numpy(features.truth)
        self._hard = torch.from_numpy(hard_negatives(features, recipe.shape.words, recipe.losses.hard_negatives))
        sizes = {name: self._tokens([0])[name].shape[-1] for name in streams}
        self.network = FusionNetwork(recipe.shape, sizes, len(features.heads))
        self.balance = Balance(len(features.heads) + recipe.losses.contrastive, recipe.losses.balance)

    def run(self) -> Iterator[dict[str, Any]]:
        """Trains, stage after stage; a line of the curves after each epoch."""
        for stage in self.recipe.stages:
            optimiser = self._optimiser(stage)
            steps = stage.epochs * -(-len(self._wanted) // self.recipe.batch)
            schedule = torch.optim.lr_scheduler.OneCycleLR(
                optimiser, [group["lr"] for group in optimiser.param_groups], total_steps=steps + 1
            )
            for epoch in range(stage.epochs):
                losses = [self._step(batch, optimiser, schedule) for batch in self._batches()]
                mean = np.mean(losses, axis=0).tolist()
                names = [*self.features.heads, "contrastive"][: len(mean) - 1]
                gates = [round(float(torch.tanh(layer.gate.detach())), 4) for layer in self.network.layers]
                yield {
                    "stage": stage.name,
                    "epoch": epoch,
                    "loss": mean[-1],
                    **dict(zip(names, mean, strict=False)),
                    "gates": gates,
                }
        self.network.eval()

    def _optimiser(self, stage: Stage) -> torch.optim.Optimizer:
        groups: list[dict[str, Any]] = [
            {"params": [*self.network.parameters(), *self.balance.parameters()], "lr": stage.learning_rate}
        ]
        if self.experts is not None:
            self.experts.requires_grad_(stage.name == "B")
            if stage.name == "B":
                groups.append({"params": list(self.experts.parameters()), "lr": stage.experts_rate})
        return torch.optim.AdamW(groups, weight_decay=self.recipe.weight_decay)

    def _batches(self) -> Iterator[Batch]:
        order = self._order.permutation(len(self._wanted))
        for start in range(0, len(order), self.recipe.batch):
            rows = order[start : start + self.recipe.batch].tolist()
            weights = hidden_modalities(self._weights[rows], self.recipe.drop, self._random)
            yield Batch(self._tokens(rows), weights, self._wanted[rows], self._hard[rows])

    def _tokens(self, rows: list[int]) -> dict[str, Tensor]:
        given = {name: values[rows] for name, values in self._given.items()}
        experts = self.experts
        return {
            name: experts[name](values) if experts is not None and name in experts else values
            for name, values in given.items()
        }

    def _step(self, batch: Batch, optimiser: torch.optim.Optimizer, schedule: Any) -> list[float]:
        self.network.train()
        logits, words, media = self.network(batch.tokens, batch.weights)
        losses = judged_loss(logits, batch.wanted)
        if self.recipe.losses.contrastive:
            losses = torch.cat([losses, self._contrast(batch, words, media)[None]])
        loss = self.balance(losses)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        return [*losses.detach().tolist(), float(loss.detach())]

    def _contrast(self, batch: Batch, words: Tensor, media: Tensor) -> Tensor:
        count = len(self.recipe.shape.words)
        whole = (batch.weights[:, :count] > 0).any(1) & (batch.weights[:, count:] > 0).any(1)
        hard: Tensor | None = None
        if batch.hard.shape[1] and bool(whole.any()):
            others = batch.hard[whole].flatten().tolist()
            said = self.network.said(self._tokens(others), self._weights[others])
            hard = said.unflatten(0, (-1, batch.hard.shape[1]))
        return contrastive_loss(words[whole], media[whole], self.recipe.losses.temperature, hard)


def hard_negatives(features: Features, words: tuple[str, ...], count: int) -> NDArray[np.int64]:
    """Shape [rows, count]: of each row the rows of other groups whose words are nearest to its own, by the cosine of
    the mean of their tokens. Raises `RecipeError` where a row has fewer than `count`."""
    rows = len(features.ids)
    if count == 0:
        return np.zeros((rows, 0), np.int64)
    means = np.concatenate([features.tokens[name].mean(1) * (features.weights[name] > 0)[:, None] for name in words], 1)
    means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    alike = means @ means.T
    alike[features.groups[:, None] == features.groups[None, :]] = -np.inf
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :count].astype(np.int64)
    if nearest.shape[1] < count or np.isneginf(np.take_along_axis(alike, nearest, axis=1)).any():
        raise RecipeError(f"losses.hard_negatives: {count}; expected no more than each row has rows of other groups")
    return nearest


def train(
    recipe: Recipe, features: Features, folder: Path | None = None, experts: nn.ModuleDict | None = None
) -> Ensemble:
    """The ensemble that a recipe makes of the features' rows of train; with `folder`, a run is stored there."""
    rows = features.rows(features.train)
    if not len(rows.ids):
        raise RecipeError("the features have no rows of train; expected some to train on")
    curves: list[dict[str, Any]] = []
    networks: list[FusionNetwork] = []
    for member in range(recipe.ensemble):
        trainer = Trainer(recipe, rows, recipe.seed + member, experts)
        curves += [{"member": member, **line} for line in trainer.run()]
        networks.append(trainer.network)
    ensemble = Ensemble(networks).eval()
    if folder is not None:
        _store(folder, recipe, features, ensemble, curves)
    return ensemble


def logits_of(ensemble: Ensemble, features: Features) -> NDArray[np.float64]:
    """Shape [rows, heads]."""
    streams = ensemble.networks[0].streams
    tokens = {name: torch.from_numpy(np.asarray(features.tokens[name])) for name in streams}
    weights = torch.from_numpy(np.stack([features.weights[name] for name in streams], 1).astype(np.float32))
    with torch.no_grad():
        return ensemble(tokens, weights).numpy().astype(np.float64)


def _store(folder: Path, recipe: Recipe, features: Features, ensemble: Ensemble, curves: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    streams = ensemble.networks[0].streams
    configuration: Mapping[str, Any] = {
        "recipe": msgspec.to_builtins(recipe),
        "features": features.hash,
        "heads": features.heads,
        "sizes": {name: features.tokens[name].shape[-1] for name in streams},
        "rows": int(features.train.sum()),
    }
    (folder / CONFIGURATION).write_text(json.dumps(configuration, indent=1) + "\n", encoding="utf-8")
    (folder / CURVES).write_text("".join(json.dumps(line) + "\n" for line in curves), encoding="utf-8")
    torch.save(ensemble.state_dict(), folder / WEIGHTS)


def load_run(folder: Path) -> tuple[Recipe, tuple[str, ...], Ensemble]:
    """(recipe, heads, ensemble) of a stored run. Raises OSError, and `RecipeError` for a folder that holds another, or
    whose weights are of another recipe."""
    try:
        configuration = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
        recipe = msgspec.convert(configuration["recipe"], Recipe)
        heads, sizes = tuple(configuration["heads"]), configuration["sizes"]
    except (KeyError, TypeError, ValueError) as error:
        raise RecipeError(
            f"{folder / CONFIGURATION}: {error}; expected a run of `models_export.fusion train`"
        ) from None
    ensemble = Ensemble([FusionNetwork(recipe.shape, sizes, len(heads)) for _ in range(recipe.ensemble)])
    try:
        ensemble.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
    except (RuntimeError, EOFError, LookupError, pickle.UnpicklingError) as error:  # as torch has it of odd files
        what = str(error).partition("\n")[0]
        raise RecipeError(f"{folder / WEIGHTS}: {what}; expected the networks of {CONFIGURATION}") from None
    return recipe, heads, ensemble.eval()
