"""The manifest of a pack that was made here: what `processors.packs.manifest` reads, composed from a training run."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from models_export.measures.calibrate import Calibration
from models_export.packing.languages import language_cards
from models_export.text_expert.export import GRAPH_FILE, Run
from models_export.text_expert.graph import embedding_size
from models_export.text_expert.pool import PERMISSIVE, read_pool
from models_export.text_expert.run_files import STATE_FILE, TOKENIZER_FILE
from processors.packs import MANIFEST_FILE, PACK_SCHEMA
from schemas import LABELS

BACKBONE = {
    "name": "intfloat/multilingual-e5-small",
    "licence": "MIT",
    "url": "https://huggingface.co/intfloat/multilingual-e5-small",
    "citation": "Wang et al., Multilingual E5 Text Embeddings: A Technical Report, arXiv:2402.05672",
}
LICENCE = "Apache-2.0"
RESEARCH_LICENCE = "LicenseRef-research-only"
"""Of a pack trained on rows whose licences do not allow commercial use."""

_SOURCE = re.compile(r"^Source: (?P<url>\S+)(?: at commit (?P<revision>\w+))?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What dev gave: calibration and threshold per assessable head, why the others are not, and the figures."""

    calibration: Mapping[str, Calibration]
    thresholds: Mapping[str, float]
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    figures: Mapping[str, Any] = field(default_factory=dict[str, Any])


def unfitted(heads: tuple[str, ...]) -> Fitted:
    """What stands in the manifest before anything was measured: probabilities straight from the logits."""
    return Fitted(dict.fromkeys(heads, Calibration()), dict.fromkeys(heads, 0.5))


def compose(run: Run, data: Path, folder: Path, name: str, version: str, fitted: Fitted) -> dict[str, Any]:
    """The manifest of the pack in `folder`, which has its other files already.

    The same run and data give the same manifest: it was created when the run saved its state.
    """
    recipe = run.expert["recipe"]
    figures = fitted.figures
    saved = datetime.fromtimestamp(int((run.folder / STATE_FILE).stat().st_mtime), UTC)
    return {
        "schema": PACK_SCHEMA,
        "name": name,
        "version": version,
        "created": saved.isoformat().replace("+00:00", "Z"),
        "licence": LICENCE if recipe["permissive_only"] else RESEARCH_LICENCE,
        "backbone": BACKBONE,
        "text": _text(run, folder),
        "calibration": {
            head: {"temperature": found.temperature, "bias": found.bias} for head, found in fitted.calibration.items()
        },
        "thresholds": dict(fitted.thresholds),
        "labels": {head: _card(run, head, fitted) for head in dict.fromkeys((*LABELS, *run.heads))},
        "languages": language_cards(
            figures.get("pairs", []), figures.get("zero_shot_pairs", []), figures.get("benign_flagged", {})
        ),
        "training": {
            "datasets": datasets(data, permissive_only=recipe["permissive_only"]),
            "seed": recipe["seed"],
            # A run may have been prolonged, or cut short.
            "recipe": {**recipe, "steps": run.step},
        },
        "figures": figures,
    }


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _text(run: Run, folder: Path) -> dict[str, Any]:
    layout = run.layout
    return {
        "graph": _file(folder, GRAPH_FILE),
        "tokenizer": _file(folder, TOKENIZER_FILE),
        "layout": {
            "order": list(layout.order),
            "context": layout.context,
            "window_tokens": layout.window_tokens,
            "overlap_tokens": layout.overlap_tokens,
            "context_tokens": layout.context_tokens,
            "max_windows": layout.max_windows,
            "languages": layout.languages,
            "markers": layout.markers,
        },
        "inputs": {name: {"name": name, "dtype": "int64"} for name in ("ids", "mask")},
        "outputs": {
            "logits": {"name": "logits", "dtype": "float32"},
            "embedding": {"name": "pooled", "dtype": "float32"},
        },
        "heads": list(run.heads),
        "embedding_size": embedding_size(run.weights),
        "isolation": "batch",
        "precision": "int8-weight-only",
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": name, "sha256": digest, "bytes": (folder / name).stat().st_size}


def _card(run: Run, head: str, fitted: Fitted) -> dict[str, Any]:
    if head not in run.heads:
        return {"status": "not_assessed", "note": "too little labelled text that may be used: no head was trained"}
    card: dict[str, Any] = {"status": "measured", "training_rows": run.expert["rows"][head]}
    if head in fitted.missing:
        return card | {"status": "not_assessed", "note": fitted.missing[head]}
    return card | {"dev": fitted.figures.get("heads", {}).get(head, {})}


def datasets(data: Path, *, permissive_only: bool) -> list[dict[str, Any]]:
    """The sets that were trained on, as origins."""
    rows = read_pool(data, permissive_only=permissive_only)
    stated = pd.read_csv(data / PERMISSIVE, sep="\t").set_index("dataset")["licence as stated"]
    counts = rows[rows["split"] == "train"].groupby("dataset").size()
    return [
        {
            "name": str(name),
            "licence": str(stated.get(name, "not permissive: research only")),
            "rows": int(count),
            **_source(data / "licences" / f"{name}.txt"),
        }
        for name, count in counts.items()
    ]


def _source(path: Path) -> dict[str, str]:
    """Address and revision from a set's licence file, where there is one."""
    found = _SOURCE.search(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None
    return {name: value for name, value in found.groupdict().items() if value} if found else {}
