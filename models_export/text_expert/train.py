"""Fine-tune the text expert. Repeatable from a seed; saves its state every ten minutes and goes on from there."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from models_export.text_expert.backbone import in_order
from models_export.text_expert.functional.drawing import Functional
from models_export.text_expert.heads import HEADS, assessed, describe, targets, taught
from models_export.text_expert.losses import head_focus, head_weights, masked_loss
from models_export.text_expert.network import TextExpert, from_backbone
from models_export.text_expert.pool import read_pool
from models_export.text_expert.recipe import Recipe
from models_export.text_expert.run_files import CURVES_FILE, EXPERT_FILE, STATE_FILE, TOKENIZER_FILE
from models_export.text_expert.samples import Balance, Samples, Shares
from models_export.text_expert.spelling import spelling_table
from models_export.text_expert.vocabulary import prune
from processors.pack.layout import TextLayout
from processors.pack.tokens import FieldTokenizer

SAVE_EVERY_S = 600.0
REPORT_EVERY = 100


@dataclass
class Progress:
    """What a run has reached, and what its optimiser has gathered in the present phase."""

    model: TextExpert
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0


def train(data: Path, backbone: Path, out: Path, recipe: Recipe) -> None:
    """Train (or go on training) into the folder `out`: tokenizer, layout, heads, curves, and the averaged weights.

    Raises ValueError for a folder that was begun with another recipe, other rows or other heads, and for rows from
    which no head can be learnt.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = read_pool(data, permissive_only=recipe.permissive_only)
    is_train = (rows["split"] == "train").to_numpy()
    wanted = targets(rows)
    functional = Functional.shipped()
    columns = assessed(wanted[is_train], wanted[~is_train], rows["dataset"].to_numpy()[is_train], taught(functional))
    usable = is_train & ~np.isnan(wanted[:, columns]).all(1)
    heads = [HEADS[at] for at in columns]
    if not heads:
        raise ValueError(f"{data}: no head has enough labelled rows, from several sets and on dev; nothing to train")
    print(f"{usable.sum():,} training rows, heads: {', '.join(heads)}, device {device}", flush=True)

    path = out / EXPERT_FILE
    if not path.exists():
        _begin(rows[is_train], backbone, out, recipe, describe(columns, wanted[usable]))
    expert = json.loads(path.read_text(encoding="utf-8"))
    if other := begun_otherwise(expert, recipe, data_hash(rows[is_train]), heads):
        raise ValueError(f"{path}: was begun with another {other}: choose another folder")
    path.write_text(json.dumps({**expert, "recipe": msgspec.to_builtins(recipe)}), encoding="utf-8")
    layout = TextLayout(window_tokens=recipe.window_tokens, languages=expert["languages"], markers=expert["markers"])
    samples = Samples(
        rows[usable].reset_index(drop=True),
        wanted[usable],
        columns,
        layout,
        FieldTokenizer.from_file(out / TOKENIZER_FILE),
        balance=Balance(recipe.group_cap, recipe.group_power),
        functional=functional,
    )
    table = spelling_table(json.loads((out / TOKENIZER_FILE).read_text(encoding="utf-8")))
    model = from_backbone(backbone, expert["origin"], len(columns), table, recipe, expert["languages"])
    model.to(device).train()
    average = {name: value.detach().float().clone() for name, value in model.named_parameters() if value.requires_grad}
    progress = Progress(model, average, _optimizer(model, recipe))
    _resume(out, progress, recipe)
    shares = np.nanmean(wanted[usable][:, columns], axis=0)
    _run(samples, progress, recipe, out, head_weights(heads).to(device), head_focus(shares.tolist()).to(device))


def _run(samples: Samples, progress: Progress, recipe: Recipe, out: Path, weights: Tensor, focus: Tensor) -> None:
    model, device = progress.model, weights.device
    saved = started = time.monotonic()
    first, losses = progress.step, []
    while progress.step < recipe.steps:
        at, within = recipe.phase_at(progress.step)
        phase = recipe.phases[at]
        if within == 0:
            progress.optimizer = _optimizer(model, recipe)
            print(f"phase {phase.name}: {phase.steps:,} steps", flush=True)
        shares = Shares(recipe.noise if phase.noise is None else phase.noise, recipe.untagged, phase.functional)
        batches = samples.batches(recipe.seed + at, within, recipe.batch, shares)
        for step, batch in zip(range(within, phase.steps), batches, strict=False):
            for group in progress.optimizer.param_groups:
                group["lr"] = phase.rate(step)
            with torch.autocast(device.type, torch.bfloat16):
                logits, _ = model(torch.from_numpy(batch.ids).to(device), torch.from_numpy(batch.mask).to(device))
            loss = masked_loss(logits, torch.from_numpy(batch.targets).to(device), weights, focus)
            progress.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            progress.optimizer.step()
            progress.step += 1
            _follow(progress.average, model, min(recipe.ema, progress.step / (progress.step + 10)))
            losses.append(float(loss.detach()))
            if progress.step % REPORT_EVERY == 0:
                rate = (progress.step - first) * recipe.batch / (time.monotonic() - started)
                _report(out, recipe, progress.step, float(np.mean(losses[-REPORT_EVERY:])), rate)
            if time.monotonic() - saved > SAVE_EVERY_S:
                _save(out, progress)
                saved = time.monotonic()
    _save(out, progress)


def _optimizer(model: TextExpert, recipe: Recipe) -> torch.optim.Optimizer:
    trained = [value for value in model.parameters() if value.requires_grad]
    return torch.optim.AdamW(trained, weight_decay=recipe.weight_decay, fused=True)


def _report(out: Path, recipe: Recipe, step: int, loss: float, rate: float) -> None:
    print(f"step {step:,}/{recipe.steps:,} loss {loss:.4f} {rate:.1f} samples/s", flush=True)
    with (out / CURVES_FILE).open("ab") as file:
        file.write(msgspec.json.encode({"step": step, "loss": round(loss, 5)}) + b"\n")


def _begin(rows: pd.DataFrame, backbone: Path, out: Path, recipe: Recipe, counts: dict[str, dict[str, int]]) -> None:
    """Write the pruned tokenizer and `expert.json`: what stays as it is when the run goes on another day.

    `rows`: what may be trained on; `counts`: its positives and negatives per head.
    """
    spec, origin, ids = prune(backbone, rows["text"], sorted(set(rows["lang"])), recipe.vocabulary)
    (out / TOKENIZER_FILE).write_text(json.dumps(spec, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    expert = {
        "recipe": msgspec.to_builtins(recipe),
        "heads": list(counts),
        "rows": counts,
        "data": data_hash(rows),
        "origin": in_order(origin, recipe.backbone),
        **ids,
    }
    (out / EXPERT_FILE).write_text(json.dumps(expert), encoding="utf-8")


def begun_otherwise(expert: Mapping[str, Any], recipe: Recipe, data: str, heads: Sequence[str]) -> str | None:
    """What of a folder's `expert` is not as it is asked for now; more phases may follow those that it has.

    The pack says of its weights what is written there, as under which licences their rows are: it must hold for all of
    their steps.
    """
    try:
        begun = msgspec.convert(expert["recipe"], Recipe)
    except msgspec.ValidationError as error:
        return f"kind of recipe ({error})"
    for name in Recipe.__struct_fields__:
        asked, given = getattr(recipe, name), getattr(begun, name)
        if (asked[: len(given)] if name == "phases" else asked) != given:
            return f"recipe ({name})"
    if expert.get("data") != data:
        return "set of training rows"
    return None if expert["heads"] == list(heads) else f"list of heads ({', '.join(expert['heads'])})"


def data_hash(rows: pd.DataFrame) -> str:
    """SHA-256 over the ids and texts that may be trained on, in the order of their ids."""
    digest = hashlib.sha256()
    for name, text in sorted(zip(rows["id"], rows["text"], strict=True)):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()


def _follow(average: dict[str, Tensor], model: TextExpert, keep: float) -> None:
    """Exponential moving average of the weights: evaluates like a cooled-down model at any step."""
    with torch.no_grad():
        names = dict(model.named_parameters())
        torch._foreach_lerp_(list(average.values()), [names[name].detach() for name in average], 1 - keep)


def _save(out: Path, progress: Progress) -> None:
    part = out / "state.part"
    torch.save(
        {
            "model": progress.model.state_dict(),
            "average": progress.average,
            "optimizer": progress.optimizer.state_dict(),
            "step": progress.step,
        },
        part,
    )
    part.replace(out / STATE_FILE)
    print(f"saved at step {progress.step:,}", flush=True)


def _resume(out: Path, progress: Progress, recipe: Recipe) -> None:
    path = out / STATE_FILE
    if not path.exists():
        return
    state = torch.load(path, weights_only=True)
    progress.model.load_state_dict(state["model"])
    for name, value in state["average"].items():
        progress.average[name].copy_(value)
    progress.step = int(state["step"])
    if recipe.phase_at(progress.step)[1]:  # a phase that begins has an optimiser of its own
        progress.optimizer.load_state_dict(state["optimizer"])
    print(f"resumed at step {progress.step:,}", flush=True)
