"""`python -m models_export.image_expert.train --data DIR --out DIR`: SigLIP 2 with low-rank updates and heads.

DIR holds `data_manifest.jsonl` and the pictures that it names. Writes the graph, its part of the manifest (heads not
assessed: they have not been measured), the loss, and what it was made from. Not run on hardware.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models_export.datasets.manifest import MANIFEST, Row, read_manifest
from models_export.image_expert.recipe import FULL, ImageRecipe, read_recipe
from models_export.image_expert.siglip import Heads, ImageTower, Precision, export, image_input, image_part, load_vision
from models_export.text_expert.adapters import add_lora, merge_lora
from models_export.text_expert.losses import head_focus, masked_loss
from processors.encode import cut_out
from processors.encode.picture import as_input
from processors.packs.image_part import ImageInput

GRAPH, PART, CURVES, RUN = "image.onnx", "image.json", "curves.jsonl", "run.json"


@dataclass(frozen=True)
class Judged:
    """A picture and what is known of it."""

    path: str
    sha256: str
    targets: NDArray[np.float32]
    """[labels]: 1, 0, or NaN where not judged."""


def judged(rows: Iterable[Row], recipe: ImageRecipe) -> list[Judged]:
    """Pictures of the train split that are there and that some label of the recipe was judged of, by path.

    Judgements of the picture by itself count before those of the whole item. A picture of several items that are judged
    differently (memes of one template) teaches nothing of the label that they differ in.
    """
    found: dict[str, list[tuple[str, NDArray[np.float32]]]] = {}
    for row in rows:
        if row.split != "train" or (recipe.datasets and row.dataset not in recipe.datasets):
            continue
        said = row.by_modality.get("image", row.labels).labels
        targets = np.array([said.get(label, np.nan) for label in recipe.labels], np.float32)
        for file in row.media:
            if file.kind == "image" and file.sha256 is not None and not np.isnan(targets).all():
                found.setdefault(file.path, []).append((file.sha256, targets))
    agreed = [Judged(path, items[0][0], _agreed([targets for _, targets in items])) for path, items in found.items()]
    return sorted((one for one in agreed if not np.isnan(one.targets).all()), key=lambda one: one.path)


def _agreed(targets: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    stacked = np.stack(targets)
    known = ~np.isnan(stacked)
    total = np.where(known, stacked, 0).sum(0)
    count = known.sum(0)
    return np.where((count > 0) & ((total == 0) | (total == count)), np.sign(total), np.nan).astype(np.float32)


def batches(
    pictures: Sequence[Judged], folder: Path, seen: ImageInput, recipe: ImageRecipe
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(pictures float32 [batch, 3, side, side], targets float32 [batch, labels]) without end, epoch by epoch."""
    rng = np.random.default_rng(recipe.seed)
    while True:
        order = rng.permutation(len(pictures))
        for start in range(0, len(order), recipe.batch):
            chosen = [pictures[at] for at in order[start : start + recipe.batch]]
            shown: list[NDArray[np.uint8]] = []
            for one in chosen:
                with Image.open(folder / one.path) as opened:
                    shown.append(cut_out(np.asarray(opened.convert("RGB")), seen))
            wanted = np.stack([one.targets for one in chosen])
            yield torch.from_numpy(as_input(shown, seen).astype(np.float32)), torch.from_numpy(wanted)


def fit(
    tower: ImageTower, drawn: Iterator[tuple[torch.Tensor, torch.Tensor]], recipe: ImageRecipe, focus: torch.Tensor
) -> list[float]:
    """Train what is not frozen; the loss of every step."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tower.to(device).train()
    trained = [value for value in tower.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=recipe.weight_decay)
    weights, focus = torch.ones(len(recipe.labels), device=device), focus.to(device)
    losses: list[float] = []
    for step, (pictures, wanted) in zip(range(recipe.steps), drawn, strict=False):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate(step)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            logits, _ = tower(pictures.to(device))
        loss = masked_loss(logits.float(), wanted.to(device), weights, focus)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    tower.cpu().eval()
    return losses


def train(data: Path, out: Path, recipe: ImageRecipe, *, precision: Precision = "fp32") -> ImageTower:
    """Train and export into the folder `out`. Raises ValueError where no picture is judged, or one is missing."""
    pictures = judged(read_manifest(data / MANIFEST), recipe)
    if not pictures:
        raise ValueError(f"{data / MANIFEST}: no picture of the train split is judged on {', '.join(recipe.labels)}")
    if missing := [one.path for one in pictures if not (data / one.path).is_file()]:
        raise ValueError(f"{data / missing[0]}: no such file, and {len(missing) - 1} more that the manifest names")
    torch.manual_seed(recipe.seed)
    seen = image_input(recipe.backbone, precision)
    vision = load_vision(recipe.backbone)
    add_lora(vision, recipe.lora)
    width, count = vision.config.hidden_size, len(recipe.labels)
    tower = ImageTower(vision, Heads(recipe.labels, 0.02 * torch.randn(count, width), torch.zeros(count)))
    known = np.stack([one.targets for one in pictures])
    shares = np.nansum(known, axis=0) / np.maximum(1, (~np.isnan(known)).sum(0))
    drawn = batches(pictures, data, msgspec.convert(seen, ImageInput), recipe)
    losses = fit(tower, drawn, recipe, head_focus(shares.tolist()))
    merge_lora(tower.vision)
    heads = Heads(recipe.labels, tower.heads.weight.detach(), tower.heads.bias.detach())
    out.mkdir(parents=True, exist_ok=True)
    export(tower.vision, heads, out / GRAPH, precision)
    part = image_part(out / GRAPH, tower.vision, recipe.labels, seen, precision=precision, source=recipe.backbone)
    digest = hashlib.sha256("".join(f"{one.path}\0{one.sha256}\0" for one in pictures).encode()).hexdigest()
    run = {"recipe": recipe, "pictures": len(pictures), "data": digest}
    for name, content in ((PART, part), (RUN, run)):
        (out / name).write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    (out / CURVES).write_bytes(
        b"".join(msgspec.json.encode({"step": at, "loss": round(loss, 5)}) + b"\n" for at, loss in enumerate(losses, 1))
    )
    return tower


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.image_expert.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {MANIFEST} and its pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for the graph and its part of the manifest")
    parser.add_argument("--recipe", type=Path, default=FULL, help="YAML (default: the full pack's)")
    parser.add_argument("--precision", choices=("fp32", "fp16"), default="fp32", help="of the graph")
    given = parser.parse_args(arguments)
    try:
        train(given.data, given.out, read_recipe(given.recipe), precision=given.precision)
    except (OSError, ValueError) as error:
        print(f"models_export: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
