"""Memes through the chain: what the experts say of each, beside what people said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models_export.stacking.fit import Rows
from processors.chain import run_chain
from processors.contract import AnyProcessor
from processors.fuse.scores import Judge, Part, Probabilities
from processors.fuse.stacking import stacking_inputs
from processors.packs import Pack
from schemas import Media, Post, Record, Source, Stage

MEMES = Path("memes/religious/labels.jsonl")
ROUTE = (Stage.INGEST, Stage.FETCH, Stage.OCR, Stage.PACK, Stage.ENCODE)
CHUNK = 32
"""Pictures that go through the stages together."""


@dataclass(frozen=True, slots=True)
class Meme:
    id: str
    path: Path
    hateful: bool
    group: str
    """Shared by memes that show nearly the same picture."""


@dataclass(frozen=True, slots=True)
class Judged:
    meme: Meme
    parts: dict[Part, Probabilities]


def read_memes(data: Path) -> list[Meme]:
    """Raises OSError, and ValueError for lines that are no memes."""
    file = data / MEMES
    found: list[Meme] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            found.append(Meme(row["id"], file.parent / row["image"], bool(row["label"]), row["dup_group"] or row["id"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file}:{number}: {error}; expected id, image, label and dup_group") from None
    return found


def judge_memes(
    pack: Pack, processors: Sequence[AnyProcessor], memes: Sequence[Meme], progress: Callable[[int], None]
) -> Iterator[Judged]:
    """Each meme as a post of its own through `processors`, the stages of `ROUTE`; those that failed are left out."""
    judge = Judge(pack)
    for start in range(0, len(memes), CHUNK):
        chunk = memes[start : start + CHUNK]
        outcomes = run_chain(processors, [_record(meme, start + at) for at, meme in enumerate(chunk)])
        for meme, outcome in zip(chunk, outcomes, strict=True):
            if isinstance(outcome, Record):
                yield Judged(meme, dict(judge.scores(outcome).parts))
        progress(start + len(chunk))


def rows_of(judged: Sequence[Judged], label: str) -> Rows:
    """The memes in which the text expert had something to read: of others no words can be stacked."""
    spoken = [one for one in judged if label in one.parts.get("whole", {})]
    inputs = [stacking_inputs(label, one.parts) for one in spoken]
    names = sorted({name for row in inputs for name in row})
    return Rows(
        truth=np.array([one.meme.hateful for one in spoken], bool),
        groups=np.array([one.meme.group for one in spoken]),
        inputs={name: np.array([row.get(name, 0.0) for row in inputs]) for name in names},
    )


def _record(meme: Meme, number: int) -> Record:
    return Record(
        post=Post(post_id=meme.id, media=(Media(media_id="meme", kind="image", uri=meme.path.as_uri()),)),
        source=Source(topic="stacking", partition=0, offset=number, timestamp_ms=0),
        content_hash=hashlib.sha256(meme.id.encode()).hexdigest(),
        received_ms=0,
        route=ROUTE,
    )
