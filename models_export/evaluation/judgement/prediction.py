"""`predictions.jsonl`: what a pack said of one item, a line each. All figures and comparisons come from these alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from models_export.evaluation.labelled_media import SuiteError, rows
from schemas import Action, Status
from schemas.decision import Probability

Holds = Annotated[int, msgspec.Meta(ge=0, le=1)]
"""1 or 0."""

PREDICTIONS_FILE = "predictions.jsonl"


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One modality of the post."""

    status: Status
    score: float | None = None
    weight: float | None = None


class Misread(msgspec.Struct, frozen=True, kw_only=True):
    """How far a reading is from a transcript."""

    edits: int
    length: int
    """Of the transcript: letters of writing, words of speech."""


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the file. It holds no text, unless texts were asked for: many of them are hateful."""

    id: str
    suite: str
    groups: Mapping[str, str] = {}
    """What the item is one of: `lang`, `dataset`, `function`, `target`, `pattern`, `difficulty`, `content_type`, …"""
    truth: Mapping[str, Holds] = {}
    """Label, `target.x` or `attack.x` -> 1 or 0, for those that somebody judged."""
    probabilities: Mapping[str, Probability] = {}
    """The same names -> calibrated probability. Empty where the post has nothing that could be judged."""
    logits: Mapping[str, float] = {}
    """Head of the text expert -> its highest logit, before calibration."""
    thresholds: Mapping[str, Probability] = {}
    """As the policy had them for this post: a name is said where its probability is over its threshold."""
    action: Action | None = None
    """None where the chain gave no decision."""
    flags: Sequence[str] = ()
    modalities: Mapping[str, Said] = {}
    misread: Mapping[str, Misread] = {}
    """`ocr`, `speech` -> how well they were read; only of items with a transcript."""
    error: str | None = None
    """Why there is no decision."""
    text: str | None = None

    def says(self, label: str) -> bool | None:
        """Whether the label is said of the item; None where it was not judged."""
        found, threshold = self.probabilities.get(label), self.thresholds.get(label)
        return None if found is None or threshold is None else found > threshold


_encoder = msgspec.json.Encoder()


def encode_prediction(prediction: Prediction) -> bytes:
    """The JSON of a line, without its end."""
    return _encoder.encode(prediction)


def read_predictions(path: Path) -> list[Prediction]:
    """The file, or the one in the folder `path`.

    Raises SuiteError for lines that are no predictions, and for a second one of an item; FileNotFoundError where there
    is no file."""
    file = path / PREDICTIONS_FILE if path.is_dir() else path
    found = list(rows(file, Prediction))
    if not found:
        raise SuiteError(f"{file}: no predictions in it; expected a file that `modstream eval` wrote")
    seen: set[str] = set()
    for prediction in found:
        if prediction.id in seen:
            raise SuiteError(f"{file}: two predictions of {prediction.id}; expected one of each item")
        seen.add(prediction.id)
    return found


def named(predictions: Iterable[Prediction], by: str) -> dict[str, list[Prediction]]:
    """By what they are in the group `by`, in the order of names; those that are not in it are left out."""
    found: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        if by in prediction.groups:
            found.setdefault(prediction.groups[by], []).append(prediction)
    return dict(sorted(found.items()))
