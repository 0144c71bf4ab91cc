"""From labelled speech to the head, its graph and its figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from models_export.audio_head.clips import Clip, read_clips, truth_of
from models_export.audio_head.export import write_graph
from models_export.audio_head.features import Spoken
from models_export.audio_head.hear import hear_clips
from models_export.audio_head.measure import calibrated, judged, labels_to_learn, measure, table, word_error_rate
from models_export.audio_head.train import Clips, Recipe, fit, logits_of
from models_export.evaluation.scoring import LabelledText, PackScorer

GRAPH_FILE, FIGURES_FILE = "audio.onnx", "audio.json"


def make(pack: Path, speech: Path, out: Path, recipe: Recipe, threads: int | None = None) -> str:
    """Hear the clips, fit, calibrate, measure, export; returns the figures as tables.

    Raises OSError, ValueError and `PackError` for folders that are not what they should be.
    """
    clips = read_clips(speech)
    spoken = hear_clips(pack, clips, out, threads=threads)
    return make_from(pack, clips, spoken, out, recipe, threads)


def make_from(
    pack: Path, clips: Sequence[Clip], spoken: Sequence[Spoken], out: Path, recipe: Recipe, threads: int | None = None
) -> str:
    """The same of clips that have been heard."""
    heard = [at for at, one in enumerate(spoken) if len(one.confidences)]
    train = [at for at in heard if clips[at].train]
    dev = [at for at in heard if not clips[at].train]
    scorer = PackScorer(pack, threads)
    truth = truth_of(clips, scorer.heads)
    columns = labels_to_learn(truth[train], truth[dev], scorer.heads)
    if not columns:
        raise ValueError(
            "no label of the pack's text expert has enough clips of both classes in train and dev to learn and measure"
        )
    labels = [scorer.heads[column] for column in columns]
    learnt = [at for at in train if not np.isnan(truth[at, columns]).all()]
    groups = np.array([clip.group for clip in clips])
    head = fit(Clips([spoken[at] for at in learnt], truth[np.ix_(learnt, columns)], groups[learnt]), recipe)
    audio = logits_of(head, [spoken[at] for at in dev])
    transcript = _text_logits(scorer, [clips[at] for at in dev], [spoken[at].text for at in dev])
    words = _text_logits(scorer, [clips[at] for at in dev], [clips[at].text for at in dev])

    figures: dict[str, Any] = {
        "clips": {"train": len(learnt), "dev": len(dev), "nothing_heard": len(spoken) - len(heard)},
        "word_error_rate": round(word_error_rate([clips[at] for at in dev], [spoken[at].text for at in dev]), 4),
        "recipe": asdict(recipe),
        "labels": {},
    }
    calibrations, tables = [], []
    for at, (label, column) in enumerate(zip(labels, columns, strict=True)):
        inputs = {"transcript": transcript[:, column], "words": words[:, column], "audio": audio[:, at]}
        own = judged([clips[row].id for row in dev], groups[dev], truth[dev, column], inputs)
        calibration, told = calibrated(own)
        calibrations.append(calibration)
        figures["labels"][label] = {**measure(own), "calibration": told}
        tables.append(table(label, figures["labels"][label]))
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: value.numpy() for name, value in head.state_dict().items()}
    onnx.save(write_graph(weights, calibrations), out / GRAPH_FILE)
    (out / FIGURES_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return "\n\n".join([f"word error rate on dev: {figures['word_error_rate']:.1%}", *tables])


def _text_logits(scorer: PackScorer, clips: Sequence[Clip], texts: Sequence[str]) -> NDArray[np.float32]:
    """[clips, heads of the text expert]; NaN where there is nothing to read."""
    return scorer.logits([LabelledText(clip.id, text) for clip, text in zip(clips, texts, strict=True)], "texts")
