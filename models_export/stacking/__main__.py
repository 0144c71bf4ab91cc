"""`python -m models_export.stacking`: fit the stacking of a pack, say what it gains, and write it where it does."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models_export.packing.parts import write_with_parts
from models_export.stacking.fit import Rows, compare, fit, highest, stacked
from models_export.stacking.memes import MEMES, ROUTE, Judged, judge_memes, read_memes, rows_of
from processors.chain import ChainOptions, MediaParts, Models, build_chain
from processors.fetch import FetchOptions
from processors.media.known import KnownLists
from processors.media.store import MediaStore
from processors.packs import Pack, load_pack
from processors.policy import parse_policy

LABEL = "hate"
"""What people said of the memes. The hateful ones are abusive too, but the others may be: `abuse` cannot be fitted."""

BASE_RATE = 0.02
"""Share of hateful posts in everyday pictures, to which the bias is moved: half of the memes are hateful because they
were picked so. Of tweets 0.1 to 3% are abusive (Founta and others 2018, arXiv:1802.00393)."""

MIN_GAIN = 0.0
"""Stacking is kept where the whole 95% interval of its gain in AUC over the highest score lies above this."""

ORIGIN = {"name": "Religiously hateful memes", "licence": "LicenseRef-research-only (none stated by its authors)"}

LENIENT = b'schema: policy/1\nname: none\nversion: "1"\nlayers: {default: {}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.stacking", description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, help="folder of the pack whose experts are stacked")
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {MEMES}")
    parser.add_argument("--out", type=Path, required=True, help="file for the figures (JSON)")
    parser.add_argument(
        "--write", action="store_true", help="put the weights into the manifest, should they help: for research only"
    )
    given = parser.parse_args(arguments)
    pack = load_pack(given.pack)
    rows = rows_of(_judged(pack, given.data), LABEL)
    figures = measure(rows)
    given.out.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(json.dumps(figures, indent=1))
    if not figures["helps"]:
        print("stacking does not beat the highest score: the pack keeps the highest", file=sys.stderr)
    elif given.write:
        write(pack, rows, figures)
    return 0


def measure(rows: Rows) -> dict[str, Any]:
    """AUC and macro-F1 of each expert alone, of the highest score, and of stacking; by cross-validation."""
    images = [name for name in rows.inputs if name.startswith("image.")]
    words = [name for name in rows.inputs if name not in images]
    scorers = {
        "text_over_all": highest(["whole"]),
        "text_over_ocr": highest(["ocr"]),
        **({"image": highest(images), "stacked": stacked([*words, *images])} if images else {}),
        "highest": highest(["whole"]),
        "stacked_without_image": stacked(words),
    }
    found = compare(rows, scorers, "highest")
    best = found.get("stacked", found["stacked_without_image"])
    return {
        "label": LABEL,
        "rows": len(rows.truth),
        "positives": int(rows.truth.sum()),
        "groups": len(set(rows.groups.tolist())),
        "experts": found,
        "helps": best["auc_gain"]["low"] > MIN_GAIN,
    }


def write(pack: Pack, rows: Rows, figures: dict[str, Any]) -> None:
    """The weights into the pack's manifest, and its card anew."""
    fitted = fit(rows, sorted(rows.inputs), BASE_RATE)
    stacking = {
        "labels": {LABEL: {"bias": fitted.bias, "weights": dict(fitted.weights)}},
        "training": [{**ORIGIN, "rows": len(rows.truth)}],
        "figures": {**figures, "base_rate": BASE_RATE},
    }
    write_with_parts(pack.folder, {"stacking": stacking})


def _judged(pack: Pack, data: Path) -> list[Judged]:
    memes = read_memes(data)
    with tempfile.TemporaryDirectory() as folder:
        media = MediaParts(MediaStore.open(folder), KnownLists([]))
        options = ChainOptions(code="stacking", fetch=FetchOptions(file_roots=(data.resolve(),)))
        models = Models(pack, parse_policy(LENIENT, "none", pack.thresholds))
        processors = build_chain(options, models, media, stages=ROUTE)
        return list(judge_memes(pack, processors, memes, _told(len(memes))))


def _told(total: int) -> Any:
    return lambda done: print(f"{done} of {total} memes", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
