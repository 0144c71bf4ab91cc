"""Fine-tune the text expert. Repeatable from a seed; saves its state every ten minutes and goes on from there."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from models_export.text_expert.heads import LABELS, assessed, describe, targets
from models_export.text_expert.network import TextExpert, from_backbone
from models_export.text_expert.pool import read_pool
from models_export.text_expert.run_files import EXPERT_FILE, STATE_FILE, TOKENIZER_FILE
from models_export.text_expert.samples import Samples
from models_export.text_expert.vocabulary import prune
from processors.pack.layout import TextLayout
from processors.pack.tokens import FieldTokenizer

SAVE_EVERY_S = 600.0
REPORT_EVERY = 100


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a training run is made of; the same recipe, data and backbone give the same pack (on one kind of device)."""

    seed: int = 7
    steps: int = 2700
    batch: int = 32
    learning_rate: float = 8e-5
    warmup: int = 200
    # The last part of the steps, over which the rate falls to zero (a "trapezoid": a run can be prolonged by raising
    # `steps` before the fall begins).
    cooldown: float = 0.3
    weight_decay: float = 0.01
    noise: float = 0.2
    untagged: float = 0.15
    vocabulary: int = 80_000
    window_tokens: int = 96
    permissive_only: bool = True
    ema: float = 0.999


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate at `step`: linear warm-up, constant, linear fall over the last `cooldown` of the steps."""
    rise = min(1.0, (step + 1) / recipe.warmup)
    fall = min(1.0, (recipe.steps - step) / (recipe.steps * recipe.cooldown))
    return recipe.learning_rate * min(rise, fall)


def masked_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Binary cross-entropy, averaged per head over the rows that judge it and then over the heads seen.

    Categories weigh half of abuse and hate: they have a tenth of the rows, and are read beside them.
    """
    known = ~torch.isnan(wanted)
    each = (
        torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.nan_to_num(wanted), reduction="none") * known
    )
    seen = known.sum(0)
    weight = torch.full_like(seen, 0.5, dtype=torch.float32)
    weight[:2] = 1.0
    weight = weight * seen / known.shape[0]
    per_head = each.sum(0) / seen.clamp(min=1)
    return (per_head * weight).sum() / weight.sum().clamp(min=1e-6)


def train(data: Path, backbone: Path, out: Path, recipe: Recipe) -> None:
    """Train (or go on training) into the folder `out`: tokenizer, layout, heads, and the averaged weights."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = read_pool(data, permissive_only=recipe.permissive_only)
    is_train = (rows["split"] == "train").to_numpy()
    wanted = targets(rows)
    columns = assessed(wanted[is_train], wanted[~is_train])
    usable = is_train & ~np.isnan(wanted[:, columns]).all(1)
    heads = [LABELS[at] for at in columns]
    print(f"{usable.sum():,} training rows, heads: {', '.join(heads)}, device {device}", flush=True)

    path = out / EXPERT_FILE
    if not path.exists():
        _begin(rows[is_train], backbone, out, recipe, describe(columns, wanted[usable]))
    expert = json.loads(path.read_text(encoding="utf-8"))
    if expert["heads"] != heads:
        raise ValueError(f"{path}: was begun with other heads ({', '.join(expert['heads'])}): choose another folder")
    layout = TextLayout(window_tokens=recipe.window_tokens, languages=expert["languages"], markers=expert["markers"])
    tokenizer = FieldTokenizer.from_file(out / TOKENIZER_FILE)
    samples = Samples(rows[usable].reset_index(drop=True), wanted[usable][:, columns], layout, tokenizer)
    model = from_backbone(backbone, expert["origin"], len(columns))
    model.to(device).train()
    average = {name: value.detach().float().clone() for name, value in model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(
        [value for value in model.parameters() if value.requires_grad],
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
    )
    step = _resume(out, model, average, optimizer)

    saved = started = time.monotonic()
    first, losses = step, []
    for batch in samples.batches(recipe.seed, step, recipe.batch, noise=recipe.noise, untagged=recipe.untagged):
        if step >= recipe.steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        with torch.autocast(device, torch.bfloat16):
            logits, _ = model(torch.from_numpy(batch.ids).to(device), torch.from_numpy(batch.mask).to(device))
        loss = masked_loss(logits, torch.from_numpy(batch.targets).to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        _follow(average, model, min(recipe.ema, step / (step + 10)))
        losses.append(float(loss.detach()))
        if step % REPORT_EVERY == 0:
            rate = (step - first) * recipe.batch / (time.monotonic() - started)
            print(
                f"step {step:,}/{recipe.steps:,} loss {np.mean(losses[-REPORT_EVERY:]):.4f} {rate:.1f} samples/s",
                flush=True,
            )
        if time.monotonic() - saved > SAVE_EVERY_S:
            _save(out, model, average, optimizer, step)
            saved = time.monotonic()
    _save(out, model, average, optimizer, step)


def _begin(rows: pd.DataFrame, backbone: Path, out: Path, recipe: Recipe, counts: dict[str, dict[str, int]]) -> None:
    """Write the pruned tokenizer and `expert.json`: what stays as it is when the run goes on another day.

    `rows`: what may be trained on; `counts`: its positives and negatives per head.
    """
    spec, origin, ids = prune(backbone, rows["text"], sorted(set(rows["lang"])), recipe.vocabulary)
    (out / TOKENIZER_FILE).write_text(json.dumps(spec, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    expert = {"recipe": asdict(recipe), "heads": list(counts), "rows": counts, "origin": origin, **ids}
    (out / EXPERT_FILE).write_text(json.dumps(expert), encoding="utf-8")


def _follow(average: dict[str, Tensor], model: TextExpert, keep: float) -> None:
    """Exponential moving average of the weights: evaluates like a cooled-down model at any step."""
    with torch.no_grad():
        names = dict(model.named_parameters())
        torch._foreach_lerp_(list(average.values()), [names[name].detach() for name in average], 1 - keep)


def _save(
    out: Path, model: TextExpert, average: dict[str, Tensor], optimizer: torch.optim.Optimizer, step: int
) -> None:
    part = out / "state.part"
    torch.save(
        {"model": model.state_dict(), "average": average, "optimizer": optimizer.state_dict(), "step": step}, part
    )
    part.replace(out / STATE_FILE)
    print(f"saved at step {step:,}", flush=True)


def _resume(out: Path, model: TextExpert, average: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> int:
    path = out / STATE_FILE
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for name, value in state["average"].items():
        average[name].copy_(value)
    optimizer.load_state_dict(state["optimizer"])
    print(f"resumed at step {state['step']:,}", flush=True)
    return int(state["step"])
