"""From a training folder to a verified pack: export, score, calibrate, measure, write down, check."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models_export.evaluation.devset import DevSet, score
from models_export.evaluation.hatecheck import read_suites
from models_export.evaluation.pack_figures import Evaluation, round_figures
from models_export.evaluation.scoring import PackScorer
from models_export.measures.calibrate import (
    Calibration,
    NotAssessable,
    choose_threshold,
    fit_calibration,
)
from models_export.packing import manifest
from models_export.packing.artefacts import write_artefacts
from models_export.packing.card import CARD_FILE, render_card
from models_export.packing.fidelity import TEXTS, compare
from models_export.packing.parts import FUSION, read_pictures, with_parts
from models_export.text_expert.export import Run, export, read_run
from processors.packs.check import Level, check_pack

MAX_PACK_BYTES = 115_000_000
"""A pack ships with the code, in one wheel, and PyPI takes no larger file than 100 MiB. Compressed, packs have 0.86 of
their size: this leaves 6 MB for the rest of the wheel."""

ARTEFACTS = "artefacts"
"""Folder within the run's, for those who set the pack up."""

MAIN_LABEL = "abuse"
"""Without it there is no pack: languages and sets are measured by it."""


class PackRefused(ValueError):
    """A finished pack that must not be shipped; the message says why."""


def pack(
    run_folder: Path,
    data: Path,
    out: Path,
    *,
    name: str = "embedded",
    version: str = "1",
    limit: int | None = None,
    suites: bool = True,
    pictures_from: Path | None = None,
) -> dict[str, Any]:
    """Make the pack of a training run and return its figures.

    `limit`: at most so many dev rows of each (language, set) pair, for a quick pack; `suites`: whether to run the
    functional suites; `pictures_from`: the pack whose picture parts are taken over as they are (`out` may be it), None
    for a pack that reads text alone. `out` is replaced only once the new pack is verified. Raises FileNotFoundError for
    what `data` or `run_folder` lacks, `PackError` for another pack that does not load, `PackRefused` and ValueError for
    a pack that must not be shipped.
    """
    run = read_run(run_folder)
    staging = run_folder / "pack"
    if pictures_from is not None and pictures_from.resolve() == staging.resolve():
        raise ValueError(f"{pictures_from}: the new pack is put together there; expected another folder for pictures")
    pictures = None if pictures_from is None else read_pictures(pictures_from)
    shutil.rmtree(staging, ignore_errors=True)
    export(run, staging)
    # Scores come from the pack as it is served, which needs a manifest: at first one that calibrates nothing.
    manifest.write(staging, manifest.compose(run, data, staging, name, version, manifest.unfitted(run.heads)))
    scorer = PackScorer(staging)
    dev = score(data, scorer, permissive_only=run.expert["recipe"]["permissive_only"], limit=limit)
    fitted = measure(run, data, scorer, dev, *fit(dev), suites=suites)
    composed = manifest.compose(run, data, staging, name, version, fitted)
    if pictures is not None:
        parts = pictures.parts(composed)
        pictures.copy(staging, parts)
        composed = with_parts(composed, parts)
        if FUSION in pictures.manifest and FUSION not in composed:
            print(f"{FUSION}: left out, as it was trained on another text expert: train it again", file=sys.stderr)
    manifest.write(staging, composed)
    (staging / CARD_FILE).write_text(render_card(composed), encoding="utf-8")
    verify(staging)
    write_artefacts(run_folder / ARTEFACTS, dev, fitted.calibration, fitted.thresholds, composed)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(staging, out)
    return dict(fitted.figures)


def fit(dev: DevSet) -> tuple[dict[str, Calibration], dict[str, float], dict[str, str]]:
    """Calibration and threshold of each head, from the fitting half of the sets that were trained on.

    The third says why, for every head that has none. Raises `PackRefused` where the main label is one of these.
    """
    calibration: dict[str, Calibration] = {}
    thresholds: dict[str, float] = {}
    missing: dict[str, str] = {}
    for column, head in enumerate(dev.heads):
        rows = dev.fitting & dev.trained & dev.judged(head)
        truth = dev.truth[rows, column] == 1
        try:
            fitted = fit_calibration(dev.logits[rows, column], truth)
            thresholds[head] = choose_threshold(fitted(dev.logits[rows, column]), truth, dev.pairs[rows])
            calibration[head] = fitted
        except NotAssessable as error:
            missing[head] = str(error)
    if MAIN_LABEL not in calibration:
        raise PackRefused(f"{MAIN_LABEL} cannot be assessed: {missing.get(MAIN_LABEL, 'it has no head')}")
    return calibration, thresholds, missing


def measure(
    run: Run,
    data: Path,
    scorer: PackScorer,
    dev: DevSet,
    calibration: Mapping[str, Calibration],
    thresholds: Mapping[str, float],
    missing: Mapping[str, str],
    *,
    suites: bool,
) -> manifest.Fitted:
    """All figures, for manifest and card."""
    evaluation = Evaluation(dev, calibration, thresholds)
    figures = evaluation.figures()
    figures["training"] = {"step": run.step}
    figures["fidelity"] = compare(run, scorer, dev.measuring_texts(TEXTS), calibration, thresholds)
    figures["hatecheck"] = {}
    if suites and "hate" in calibration:
        for suite in read_suites(data):
            logits = scorer.logits(suite.cases, f"HateCheck, {suite.lang}")
            figures["hatecheck"][suite.lang] = evaluation.suite(suite, logits)
    return manifest.Fitted(calibration, thresholds, missing, round_figures(figures))


def verify(folder: Path) -> None:
    """Raises `PackRefused` for a pack that is too large or that workers would not load."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if total > MAX_PACK_BYTES:
        raise PackRefused(f"{folder}: {total:,} bytes; a pack has at most {MAX_PACK_BYTES:,}")
    errors = [str(problem) for problem in check_pack(folder) if problem.level is Level.ERROR]
    if errors:
        raise PackRefused("; ".join(errors))
