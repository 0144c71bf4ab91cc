"""From texts, fonts and photos to `script.onnx` and the part of the manifest that describes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import onnx
import torch

from models_export.script import fonts
from models_export.script.draw import read_photos
from models_export.script.graph import INPUT, OUTPUT, write_graph
from models_export.script.letters import READABLE, SCRIPTS
from models_export.script.measure import HeldOut, figures, logits, operating_point, temperature
from models_export.script.network import ScriptNetwork
from models_export.script.samples import HEIGHT, Sources
from models_export.script.texts import read_phrases
from models_export.script.train import WEIGHTS_FILE, Recipe, fit
from processors.engines import OnnxEngine
from processors.ocr.script import ScriptIdentifier
from processors.packs.ocr_part import ScriptExpert

GRAPH_FILE = "script.onnx"
PART_FILE = "script.json"
PACK_PATH = f"ocr/script/{GRAPH_FILE}"
CALIBRATION_SEED, FIGURES_SEED = 1001, 2002
"""Further streams of samples; training has the recipe's."""
OF_EACH = 150
"""Crops of each script, for calibration and again for the figures."""
ORIGIN = {
    "name": "modstream script expert",
    "licence": "Apache-2.0",
    "citation": "Trained here on drawn lines: words of the text pool's permissive sets and of Unicode CLDR, fonts under"
    " open licences (none is part of it), permissive photographs as backgrounds",
}


def make(data: Path, font_folders: Sequence[Path], photo_folders: Sequence[Path], out: Path, recipe: Recipe) -> str:
    """Train, calibrate, export, measure; returns the figures as a table.

    Writes `script.onnx` and `script.json` (`ocr.script` of a manifest) into `out`. Raises FileNotFoundError where a
    folder lacks what it should have.
    """
    out.mkdir(parents=True, exist_ok=True)
    phrases = read_phrases(data, held_out=False)
    families = fonts.find_fonts(font_folders, phrases)
    photos = read_photos(photo_folders)
    print(f"{sum(map(len, families.values())):,} font families for {len(families)} scripts", flush=True)
    seen = Sources(phrases, _parts(families, held_out=False), photos)
    unseen = Sources(read_phrases(data, held_out=True), _parts(families, held_out=True), photos)
    return export(fit(seen, out, recipe), unseen, out, recipe)


def load(out: Path) -> ScriptNetwork:
    """The network that an earlier training saved in `out`."""
    network = ScriptNetwork()
    network.load_state_dict(torch.load(out / WEIGHTS_FILE, weights_only=True)["weights"])
    return network.eval()


def export(network: ScriptNetwork, unseen: Sources, out: Path, recipe: Recipe) -> str:
    """Calibrate, write graph and part, measure; `unseen`: what training has not seen."""
    scores, wanted = logits(network, HeldOut(unseen, CALIBRATION_SEED, OF_EACH))
    heat = temperature(scores, wanted)
    threshold = operating_point(scores / heat, wanted)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    path = out / GRAPH_FILE
    onnx.save(write_graph(weights, HEIGHT, heat), path)
    part = _part(path, threshold)
    expert = msgspec.convert(part, ScriptExpert)
    identifier = ScriptIdentifier(OnnxEngine(path), expert, READABLE)
    measured = figures(identifier, HeldOut(unseen, FIGURES_SEED, OF_EACH))
    part["figures"] = {"temperature": round(heat, 4), "recipe": asdict(recipe), "held_out": measured}
    (out / PART_FILE).write_text(json.dumps(part, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return _table(threshold, measured)


def _parts(families: dict[str, fonts.Families], *, held_out: bool) -> dict[str, fonts.Families]:
    return {script: fonts.part(own, held_out=held_out) for script, own in families.items()}


def _part(graph: Path, threshold: float) -> dict[str, Any]:
    content = graph.read_bytes()
    return {
        "graph": {"path": PACK_PATH, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
        "input": {"name": INPUT, "dtype": "float32"},
        "output": {"name": OUTPUT, "dtype": "float32"},
        "height": HEIGHT,
        "scripts": list(SCRIPTS),
        "threshold": threshold,
        "origin": ORIGIN,
    }


def _table(threshold: float, measured: dict[str, Any]) -> str:
    rows = [f"threshold {threshold}", f"{'script':8}{'lines':>6}{'found':>8}{'refused':>9}  taken for"]
    for script, row in measured.items():
        wrong = ", ".join(f"{other} {share:.1%}" for other, share in row["taken_for"].items())
        rows.append(f"{script:8}{row['lines']:>6}{row['found']:>8.1%}{row['refused']:>9.1%}  {wrong}")
    return "\n".join(rows)
