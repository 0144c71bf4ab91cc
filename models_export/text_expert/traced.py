"""A text expert as ONNX by tracing the network: for encoders that `graph` does not write node by node.

`python -m models_export.text_expert.traced --run RUN --backbone DIR --out FILE` does it for a training folder.

Weights stay in 32 bit; `models_export.tensorrt` takes such a graph to half precision. There is no operator of ONNX
Runtime's own in it, and no shape that depends on values.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from models_export.text_expert.adapters import merge_lora
from models_export.text_expert.backbone import find_backbone
from models_export.text_expert.network import CharacterBranch, PartlyFrozenEmbedding, TextExpert, from_backbone
from models_export.text_expert.recipe import Recipe
from models_export.text_expert.run_files import EXPERT_FILE, STATE_FILE, TOKENIZER_FILE
from models_export.text_expert.spelling import NOTHING, spelling_table

OPSET = 18
MAX_MOVE = 1e-3
"""Of logits: sums in another order, over a dozen layers."""


class NotTheNetwork(ValueError):
    """A traced graph computes something else than the network."""


class TracedCharacters(nn.Module):
    """`CharacterBranch` without a length that depends on the letters, and without sorting, of which TensorRT takes
    3,840 at most: every letter goes to the place that counting the letters before it gives."""

    def __init__(self, branch: CharacterBranch) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        codes = (self.branch.table[ids].to(torch.int64) * mask.unsqueeze(-1)).flatten(1)
        there = codes != NOTHING
        places = codes.shape[1]
        # What is no letter goes behind the last place, and is cut off there.
        place = torch.where(there, there.to(torch.int64).cumsum(1) - 1, places)
        joined = torch.cat([torch.zeros_like(codes), codes[:, :1] * 0], 1).scatter(1, place, codes)[:, :places]
        return self.branch.read(joined)


def ready_to_trace(network: TextExpert) -> TextExpert:
    """A copy for export: low-rank updates merged, one table of pieces, characters without sorting."""
    network = copy.deepcopy(network).cpu().float().eval()
    merge_lora(network.encoder)
    pieces = network.encoder.embeddings.word_embeddings
    if isinstance(pieces, PartlyFrozenEmbedding):
        joined = torch.cat([pieces.known.detach(), pieces.fresh.detach()])
        network.encoder.embeddings.word_embeddings = nn.Embedding.from_pretrained(joined)
    network.characters = TracedCharacters(network.characters)
    return network


def export_traced(network: TextExpert, out: Path, window_tokens: int) -> float:
    """Write the graph (ids, mask int64 [rows, tokens <= window_tokens] -> logits, pooled) to `out`.

    Returns how far its logits are from the network's at most. Raises `NotTheNetwork`.
    """
    traced = ready_to_trace(network)
    ids, mask = _example(traced, rows=2, tokens=min(16, window_tokens))
    shapes = {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens", min=2, max=window_tokens)}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that the exporter uses, about themselves
        torch.onnx.export(
            traced,
            (ids, mask),
            str(out),
            dynamo=True,
            opset_version=OPSET,
            input_names=["ids", "mask"],
            output_names=["logits", "pooled"],
            dynamic_shapes=(shapes, shapes),
            external_data=False,
            verbose=False,
        )
    moved = parity(network, out, window_tokens)
    if not moved <= MAX_MOVE:
        raise NotTheNetwork(f"{out}: logits differ from the network's by {moved:.2g}; expected at most {MAX_MOVE:g}")
    return moved


def parity(network: TextExpert, graph: Path, window_tokens: int) -> float:
    """Largest difference of any logit over batches of several sizes and lengths, with padding."""
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    network = copy.deepcopy(network).cpu().float().eval()
    moved = 0.0
    for rows, tokens in ((1, min(5, window_tokens)), (3, window_tokens)):
        ids, mask = _example(network, rows, tokens)
        [found] = session.run(["logits"], {"ids": ids.numpy(), "mask": mask.numpy()})
        with torch.no_grad():
            wanted, _ = network(ids, mask)
        moved = max(moved, float(np.abs(found - wanted.numpy()).max()))
    return moved


def _example(network: TextExpert, rows: int, tokens: int) -> tuple[Tensor, Tensor]:
    """Random pieces; each row is a token shorter than the one before, and padded."""
    branch = network.characters
    table = branch.branch.table if isinstance(branch, TracedCharacters) else branch.table
    generator = torch.Generator().manual_seed(rows * tokens)
    ids = torch.randint(4, len(table), (rows, tokens), generator=generator)
    mask = (torch.arange(tokens)[None] < tokens - torch.arange(rows)[:, None]).to(torch.int64)
    return torch.where(mask == 1, ids, 1), mask


def read_network(run: Path, backbone: Path) -> tuple[TextExpert, Recipe]:
    """The network of a training folder with its averaged weights. Raises FileNotFoundError for a file that it lacks."""
    expert = json.loads((run / EXPERT_FILE).read_text(encoding="utf-8"))
    recipe = msgspec.convert(expert["recipe"], Recipe)
    table = spelling_table(json.loads((run / TOKENIZER_FILE).read_text(encoding="utf-8")))
    network = from_backbone(backbone, expert["origin"], len(expert["heads"]), table, recipe, expert["languages"])
    state = torch.load(run / STATE_FILE, weights_only=True, map_location="cpu")
    network.load_state_dict({**state["model"], **state["average"]})
    return network, recipe


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.text_expert.traced", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="training folder")
    parser.add_argument("--backbone", required=True, help="what it began from: a folder, or a name on a hub")
    parser.add_argument("--out", type=Path, required=True, help="the graph to write")
    given = parser.parse_args(arguments)
    try:
        recipe = json.loads((given.run / EXPERT_FILE).read_text(encoding="utf-8"))["recipe"]
        network, read = read_network(given.run, find_backbone(given.backbone, recipe.get("backbone", "bert")))
        moved = export_traced(network, given.out, read.window_tokens)
    except (OSError, ValueError) as error:
        print(f"models_export: {error}", file=sys.stderr)
        return 1
    print(f"{given.out}: opset {OPSET}, logits within {moved:.2g} of the network's")
    return 0


if __name__ == "__main__":
    sys.exit(main())
