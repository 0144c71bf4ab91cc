"""Fit the script network on drawn lines. Repeatable from a seed, on one kind of device."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from models_export.script.network import ScriptNetwork
from models_export.script.samples import Batch, Batches, Sources

REPORT_EVERY = 250
WEIGHTS_FILE = "script.pt"


@dataclass(frozen=True, slots=True)
class Recipe:
    seed: int = 7
    steps: int = 12_000
    """Batches of about 34 lines."""
    learning_rate: float = 3e-3
    warmup: float = 0.05
    """Share of the steps over which the rate rises; it falls linearly to zero over the rest."""
    weight_decay: float = 0.02
    smoothing: float = 0.02
    """Of the targets: some drawn lines are beyond reading, and must not be learnt by heart."""
    ema: float = 0.998
    """Of the weights; what is saved is this average."""
    workers: int = 2


def learning_rate(recipe: Recipe, step: int) -> float:
    rise = (step + 1) / (recipe.steps * recipe.warmup)
    fall = (recipe.steps - step) / (recipe.steps * (1 - recipe.warmup))
    return recipe.learning_rate * min(rise, fall, 1.0)


def fit(sources: Sources, out: Path, recipe: Recipe) -> ScriptNetwork:
    """The averaged network, in evaluation mode; its weights and the recipe are kept in `out` as it goes."""
    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = ScriptNetwork().to(device, memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=_following(recipe.ema), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    loss = nn.CrossEntropyLoss(label_smoothing=recipe.smoothing)
    loader: DataLoader[Batch] = DataLoader(
        Batches(sources, recipe.seed), batch_size=None, num_workers=recipe.workers, prefetch_factor=32
    )
    started, right, seen = time.monotonic(), 0, 0
    for step, batch in enumerate(loader):
        if step >= recipe.steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        wanted = batch.scripts.to(device)
        logits: Tensor = model(batch.windows.to(device, memory_format=torch.channels_last))
        optimizer.zero_grad(set_to_none=True)
        loss(logits, wanted).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        right += int((logits.argmax(1) == wanted).sum())
        seen += len(wanted)
        if (step + 1) % REPORT_EVERY == 0:
            rate = (step + 1) / (time.monotonic() - started)
            print(f"step {step + 1:,}/{recipe.steps:,} right {right / seen:.3f} {rate:.2f} steps/s", flush=True)
            right = seen = 0
            _save(out, average, recipe, step + 1)
    _save(out, average, recipe, recipe.steps)
    return average.module.cpu().eval()


def _following(keep: float) -> object:
    """Averages over ever more of the first steps, and then over the last 1 / (1 - keep)."""

    def update(averaged: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        share = min(keep, float(count) / (float(count) + 10))
        for mean, value in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - share)
            else:
                mean.copy_(value)

    return update


def _save(out: Path, average: nn.Module, recipe: Recipe, step: int) -> None:
    part = out / f"{WEIGHTS_FILE}.part"
    torch.save({"weights": average.module.state_dict(), "recipe": asdict(recipe), "step": step}, part)
    part.replace(out / WEIGHTS_FILE)
