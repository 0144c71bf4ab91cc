"""What the head adds to the text expert, on dev clips that neither was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_export.audio_head.clips import Clip
from models_export.evaluation.asr_suite.words import words
from models_export.fusion.stacking import Rows, compare, highest, stacked
from models_export.measures.calibrate import MIN_CLASS_ROWS, Calibration, NotAssessable, fit_calibration, fitting_half
from models_export.measures.edit_distance import sequence_distance
from models_export.measures.metrics import Truth, calibration_error

BASELINE, STACKED = "text_on_transcript", "transcript_and_audio"


@dataclass(frozen=True)
class Judged:
    """One label's dev clips, in parallel arrays: those that were judged and that the text expert could read."""

    ids: Sequence[str]
    groups: NDArray[np.str_]
    truth: Truth
    inputs: Mapping[str, NDArray[np.float64]]
    """Logits: `transcript`, the text expert on what was heard; `words`, the text expert on what was said; `audio`, the
    head."""


def judged(
    ids: Sequence[str], groups: NDArray[np.str_], truth: NDArray[np.float32], inputs: Mapping[str, NDArray[np.floating]]
) -> Judged:
    """`truth` and each of `inputs`: shape [clips], with NaN where there is nothing."""
    table = np.stack([truth, *inputs.values()])
    usable = np.flatnonzero(~np.isnan(table).any(axis=0)).tolist()
    return Judged(
        ids=[ids[at] for at in usable],
        groups=groups[usable],
        truth=truth[usable] == 1,
        inputs={name: np.asarray(values[usable], np.float64) for name, values in inputs.items()},
    )


def measure(clips: Judged) -> dict[str, Any]:
    """AUC and macro-F1 of each way to judge, and what it gains over the text expert on the transcript, with 95%
    intervals over groups.

    The weights of stacking are fitted by cross-validation on dev: on train, both experts have seen the answers. The
    head is worth shipping only where `helps`: the whole interval of what stacking gains in AUC is above 0.
    """
    rows = Rows(clips.truth, clips.groups, clips.inputs)
    found = compare(
        rows,
        {
            BASELINE: highest(["transcript"]),
            # What fitting weights and cut alone does: no gain of this kind is the head's.
            "transcript_refitted": stacked(["transcript"]),
            "audio": highest(["audio"]),
            STACKED: stacked(["transcript", "audio"]),
            "text_on_true_words": highest(["words"]),
            "true_words_and_audio": stacked(["words", "audio"]),
        },
        BASELINE,
    )
    return {
        "clips": len(clips.truth),
        "positives": int(clips.truth.sum()),
        "groups": len(set(clips.groups.tolist())),
        "judged_by": found,
        "helps": bool(found[STACKED]["auc_gain"]["low"] > 0),
    }


def calibrated(clips: Judged) -> tuple[Calibration, dict[str, Any]]:
    """The head's calibration by one half of dev, and its figures by the other; where it cannot be, none and why."""
    fitting = fitting_half(clips.ids)
    logits = clips.inputs["audio"]
    try:
        found = fit_calibration(logits[fitting], clips.truth[fitting])
    except NotAssessable as error:
        return Calibration(), {"calibrated": False, "reason": str(error)}
    error = calibration_error(found(logits[~fitting]), clips.truth[~fitting])
    return found, {
        "calibrated": True,
        "temperature": found.temperature,
        "bias": found.bias,
        "ece": round(error, 4),
    }


def labels_to_learn(train: NDArray[np.float32], dev: NDArray[np.float32], labels: Sequence[str]) -> list[int]:
    """Columns with enough clips of either class on both sides to learn from and to measure on."""
    return [
        column
        for column in range(len(labels))
        if all(np.sum(side[:, column] == value) >= MIN_CLASS_ROWS for side in (train, dev) for value in (0, 1))
    ]


def word_error_rate(clips: Sequence[Clip], heard: Sequence[str]) -> float:
    """Edits of words over words said, all clips together. NaN where nothing was said."""
    pairs = [(words(clip.text, clip.lang), words(text, clip.lang)) for clip, text in zip(clips, heard, strict=True)]
    total = sum(len(one) for one, _ in pairs)
    return sum(sequence_distance(one, other) for one, other in pairs) / total if total else float("nan")


def table(label: str, figures: Mapping[str, Any]) -> str:
    """The figures of one label, a line per way to judge."""
    lines = [f"{label}: {figures['clips']} dev clips, {figures['positives']} of them positive"]
    lines.append(f"{'':22}{'AUC':24}{'macro-F1':24}gain in AUC")
    for name, row in figures["judged_by"].items():
        shown = [
            f"{row[key]['value']:.3f} [{row[key]['low']:.3f}, {row[key]['high']:.3f}]" for key in ("auc", "macro_f1")
        ]
        gain = f"[{row['auc_gain']['low']:+.3f}, {row['auc_gain']['high']:+.3f}]"
        lines.append(f"{name:22}{shown[0]:24}{shown[1]:24}{gain}")
    return "\n".join(lines)
