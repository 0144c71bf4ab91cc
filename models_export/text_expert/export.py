"""From a training folder to the pack's graph and tokenizer."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import torch
from torch import Tensor

from models_export.text_expert.adapters import merged_weights
from models_export.text_expert.graph import SPELLING, TABLE, Weights, write_graph
from models_export.text_expert.recipe import Recipe
from models_export.text_expert.run_files import EXPERT_FILE, STATE_FILE, TOKENIZER_FILE
from processors.pack.layout import TextLayout

GRAPH_FILE = "text.onnx"
NOTICE = Path(__file__).with_name("NOTICE-text")
"""Of the backbone, whose licence asks to be passed on."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run has reached: its averaged weights, and what it wrote down when it began."""

    folder: Path
    step: int
    heads: tuple[str, ...]
    expert: dict[str, Any]
    weights: Weights

    @property
    def layout(self) -> TextLayout:
        return TextLayout(
            window_tokens=self.expert["recipe"]["window_tokens"],
            languages=self.expert["languages"],
            markers=self.expert["markers"],
        )


def read_run(folder: Path) -> Run:
    """Raises FileNotFoundError naming the file that `folder` lacks, ValueError for an encoder that must be traced."""
    for name in (EXPERT_FILE, TOKENIZER_FILE, STATE_FILE):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder / name}: no such file; expected a training folder that has saved its state"
            )
    expert = json.loads((folder / EXPERT_FILE).read_text())
    recipe = msgspec.convert(expert["recipe"], Recipe)
    if recipe.backbone != "bert" or recipe.language_adapters:
        raise ValueError(
            f"{folder}: {recipe.backbone} with language adapters {recipe.language_adapters} wide is not written node by"
            " node; expected bert without, or python -m models_export.text_expert.traced"
        )
    state = torch.load(folder / STATE_FILE, weights_only=True, map_location="cpu", mmap=True)
    values: dict[str, Tensor] = {**state["model"], **state["average"]}
    weights = {name: value.numpy() if name == SPELLING else value.float().numpy() for name, value in values.items()}
    weights[TABLE] = np.concatenate(
        [weights.pop(f"encoder.embeddings.word_embeddings.{part}") for part in ("known", "fresh")]
    )
    if recipe.tuning == "lora":
        weights = merged_weights(weights, recipe.lora)
    return Run(folder, int(state["step"]), tuple(expert["heads"]), expert, weights)


def export(run: Run, out: Path) -> None:
    """Write the graph, the tokenizer and the backbone's notice into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(write_graph(run.weights, run.layout.window_tokens), out / GRAPH_FILE)
    shutil.copyfile(run.folder / TOKENIZER_FILE, out / TOKENIZER_FILE)
    shutil.copyfile(NOTICE, out / NOTICE.name)
