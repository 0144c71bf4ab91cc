"""From a training folder to a verified pack: export, score, calibrate, measure, write down."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models_export.calibrate import Calibration, balanced_weights, choose_threshold, fit_calibration
from models_export.card import render_card
from models_export.devset import DevSet, score
from models_export.evaluate import Evaluation, round_figures
from models_export.export import GRAPH_FILE, TOKENIZER_FILE, Run, export, read_run
from models_export.heads import LABELS
from models_export.languages import language_cards
from models_export.pool import PERMISSIVE, read_pool
from models_export.scoring import PackScorer
from models_export.suites import read_suites
from processors.packs import MANIFEST_FILE, PACK_SCHEMA

MAX_PACK_BYTES = 60_000_000
"""A pack is shipped with the code."""

CARD_FILE = "MODEL_CARD.md"
EXAMPLE = (Calibration(), 0.5)


def pack(
    run_folder: Path, data: Path, out: Path, name: str = "embedded", limit: int | None = None
) -> dict[str, Any]:
    """Make the pack of a training run; returns its figures. `out` is replaced only once the new pack is verified."""
    run = read_run(run_folder)
    staging = run_folder / "pack"
    shutil.rmtree(staging, ignore_errors=True)
    export(run, staging)
    # Scores come from the pack as it is served, which needs a manifest: one whose calibration changes nothing.
    manifest = _manifest(run, data, staging, name)
    _write(staging, manifest)
    scorer = PackScorer(staging)
    dev = score(data, scorer, permissive_only=run.expert["recipe"]["permissive_only"], limit=limit)
    calibration, thresholds = fit(dev)
    evaluation = Evaluation(dev, calibration, thresholds)
    figures = evaluation.figures()
    figures["training"] = {"step": run.step}
    figures["hatecheck"] = {}
    for suite in read_suites(data):
        logits = scorer.logits(suite.cases, f"HateCheck {suite.lang}")
        figures["hatecheck"][suite.lang] = evaluation.suite(suite, logits, scorer.heads)
    figures = round_figures(figures)
    manifest = _manifest(run, data, staging, name, calibration, thresholds, figures)
    _write(staging, manifest)
    (staging / CARD_FILE).write_text(render_card(manifest))
    check_size(staging)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(staging, out)
    return figures


def fit(dev: DevSet) -> tuple[dict[str, Calibration], dict[str, float]]:
    """Calibration and threshold of every head, from the fitting half of the sets that were trained on."""
    calibration: dict[str, Calibration] = {}
    thresholds: dict[str, float] = {}
    for column, head in enumerate(dev.heads):
        rows = dev.fitting & dev.trained & dev.judged(head)
        truth = dev.truth[rows, column] == 1
        calibration[head] = fit_calibration(dev.logits[rows, column], truth)
        scores = calibration[head](dev.logits[rows, column])
        thresholds[head] = choose_threshold(scores, truth, balanced_weights(dev.pairs[rows], truth))
    return calibration, thresholds


def check_size(folder: Path) -> None:
    """Raises ValueError for a pack that is too large to ship."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if total > MAX_PACK_BYTES:
        raise ValueError(f"{folder}: {total:,} bytes; a pack has at most {MAX_PACK_BYTES:,}")


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")


def _file(folder: Path, name: str) -> dict[str, Any]:
    data = (folder / name).read_bytes()
    return {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _manifest(
    run: Run,
    data: Path,
    folder: Path,
    name: str,
    calibration: Mapping[str, Calibration] | None = None,
    thresholds: Mapping[str, float] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    found = figures or {}
    layout = run.layout
    recipe = run.expert["recipe"]
    return {
        "schema": PACK_SCHEMA,
        "name": name,
        "version": f"1-{run.step}",
        "created": datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "licence": "Apache-2.0",
        "backbone": {
            "name": "intfloat/multilingual-e5-small",
            "licence": "MIT",
            "url": "https://huggingface.co/intfloat/multilingual-e5-small",
        },
        "text": {
            "graph": _file(folder, GRAPH_FILE),
            "tokenizer": _file(folder, TOKENIZER_FILE),
            "layout": {
                "order": layout.order,
                "context": layout.context,
                "window_tokens": layout.window_tokens,
                "overlap_tokens": layout.overlap_tokens,
                "context_tokens": layout.context_tokens,
                "max_windows": layout.max_windows,
                "languages": layout.languages,
                "markers": layout.markers,
            },
            "inputs": {kind: {"name": kind, "dtype": "int64"} for kind in ("ids", "mask")},
            "outputs": {
                "logits": {"name": "logits", "dtype": "float32"},
                "embedding": {"name": "pooled", "dtype": "float32"},
            },
            "heads": run.heads,
            "embedding_size": int(run.weights["head.weight"].shape[1]),
            "isolation": "batch",
            "precision": "int8-weight-only",
        },
        "calibration": {
            head: {"temperature": found_.temperature, "bias": found_.bias}
            for head, found_ in (calibration or dict.fromkeys(run.heads, Calibration())).items()
        },
        "thresholds": thresholds or dict.fromkeys(run.heads, 0.5),
        "labels": {
            label: {"status": "measured", "training_rows": run.expert["rows"][label], "dev": found.get("heads", {}).get(label, {})}
            if label in run.heads
            else {"status": "not_assessed"}
            for label in LABELS
        },
        "languages": language_cards(found.get("pairs", []), found.get("zero_shot_pairs", []), found.get("benign_flagged", {})),
        "training": {"datasets": _datasets(data, recipe), "seed": recipe["seed"], "recipe": recipe},
        "figures": found,
    }


def _datasets(data: Path, recipe: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = read_pool(data, permissive_only=recipe["permissive_only"])
    licences = pd.read_csv(data / PERMISSIVE, sep="\t").set_index("dataset")["licence as stated"]
    counts = rows[rows["split"] == "train"].groupby("dataset").size()
    return [
        {"name": str(name), "licence": str(licences.get(name, "not permissive")), "rows": int(count)}
        for name, count in counts.items()
    ]
