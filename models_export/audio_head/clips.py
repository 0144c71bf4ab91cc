"""Labelled speech: a folder of sounds and its `manifest.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.labelled_media import rows

MANIFEST = "manifest.jsonl"


class Line(msgspec.Struct, frozen=True):
    """A line of the manifest; what else stands in it is ignored."""

    file: str
    """Path below the folder, in any format that the chain reads."""
    split: Literal["train", "dev"]
    labels: dict[str, Literal[0, 1]]
    """What people judged; a label that is not named was not judged."""
    text: str
    """What is said, as a person wrote it down."""
    lang: str | None = None
    """ISO 639; None where nobody says."""
    group: str | None = None
    """Shared by clips that must not be parted, as those of one speaker or one text."""


@dataclass(frozen=True, slots=True)
class Clip:
    id: str
    """Its path below the folder."""
    path: Path
    train: bool
    labels: Mapping[str, int]
    text: str
    lang: str | None
    group: str


def read_clips(folder: Path) -> list[Clip]:
    """Raises OSError for a folder without manifest or without a file that it names, `SuiteError` (a ValueError) for a
    line that cannot be understood, and ValueError where a group is in train and dev."""
    clips = [
        Clip(
            id=line.file,
            path=folder / line.file,
            train=line.split == "train",
            labels=line.labels,
            text=line.text,
            lang=line.lang,
            group=line.group or line.file,
        )
        for line in rows(folder / MANIFEST, Line)
    ]
    for clip in clips:
        if not clip.path.is_file():
            raise FileNotFoundError(f"{clip.path}: no such file; expected all that {MANIFEST} names")
    shared = {clip.group for clip in clips if clip.train} & {clip.group for clip in clips if not clip.train}
    if shared:
        raise ValueError(f"{folder / MANIFEST}: {len(shared)} groups are in train and dev; expected each in one split")
    return clips


def truth_of(clips: Sequence[Clip], labels: Sequence[str]) -> NDArray[np.float32]:
    """float32 [clips, labels]: 1, 0, or NaN where a clip was not judged."""
    return np.array([[clip.labels.get(label, np.nan) for label in labels] for clip in clips], np.float32).reshape(
        len(clips), len(labels)
    )
