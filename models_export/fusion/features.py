"""What the fusion learns from: the pooled features of a pack's experts for each meme, as the chain serves them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models_export.measures.metrics import Truth
from processors.chain import run_chain
from processors.contract import AnyProcessor
from processors.fuse.fusion import tokens_of
from processors.fuse.gating import MODALITY_PARTS, part_weights
from processors.fuse.scores import Judge
from processors.packs import Pack
from schemas import Media, Post, Record, Source, Stage

MEMES = "labels.jsonl"
ROUTE = (Stage.INGEST, Stage.FETCH, Stage.OCR, Stage.PACK, Stage.ENCODE)
CHUNK = 16
"""Pictures that go through the stages together."""

LABEL = "hate"
"""What people said of the memes. The hateful ones are abusive too, but the others may be: `abuse` cannot be learnt."""

STREAMS = tuple(MODALITY_PARTS.values())
"""The modalities that the embedded fusion may have as streams, one token each."""


@dataclass(frozen=True)
class Meme:
    id: str
    path: Path
    hateful: bool
    group: str
    """Shared by memes that show nearly the same picture."""
    train: bool


@dataclass(frozen=True)
class Features:
    """Memes in parallel arrays."""

    ids: NDArray[np.str_]
    groups: NDArray[np.str_]
    train: Truth
    heads: tuple[str, ...]
    truth: NDArray[np.float32]
    """Shape [rows, heads]: 1, 0, or NaN where nobody judged."""
    tokens: dict[str, NDArray[np.float32]]
    """Stream -> [rows, tokens, size]; zeros where a row lacks it."""
    weights: dict[str, NDArray[np.float32]]
    """Stream -> [rows]: how far it is trusted (`processors.fuse.gating`); 0 where a row lacks it."""
    scores: dict[str, NDArray[np.float64]]
    """`<part>.<label>` -> [rows]: what the experts say alone; NaN where they say nothing."""

    @property
    def hash(self) -> str:
        """SHA-256 of everything that training sees, in hex."""
        digest = hashlib.sha256(json.dumps([self.heads, sorted(self.tokens)]).encode())
        arrays: list[NDArray[Any]] = [self.ids, self.groups, self.train, self.truth]
        for name in sorted(self.tokens):
            arrays += [self.tokens[name], self.weights[name]]
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def rows(self, chosen: NDArray[Any]) -> Features:
        """Some of the rows, by index or mask."""
        return Features(
            self.ids[chosen],
            self.groups[chosen],
            self.train[chosen],
            self.heads,
            self.truth[chosen],
            {name: values[chosen] for name, values in self.tokens.items()},
            {name: values[chosen] for name, values in self.weights.items()},
            {name: values[chosen] for name, values in self.scores.items()},
        )

    def without(self, *streams: str) -> Features:
        """The same rows with these streams hidden."""
        hidden = {name: np.zeros_like(values) if name in streams else values for name, values in self.weights.items()}
        return replace(self, weights=hidden)


def read_memes(folder: Path) -> list[Meme]:
    """Raises OSError, and ValueError for lines that are no memes, or a group of near-duplicates in train and dev."""
    file = folder / MEMES
    found: list[Meme] = []
    # Not `splitlines`: a text in a line may hold what Unicode counts as the end of one.
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name = str(row["id"])
            found.append(
                Meme(
                    name,
                    folder / row["image"],
                    {0: False, 1: True}[row["label"]],
                    row["dup_group"] or f"alone:{name}",
                    {"train": True, "dev": False}[row["split"]],
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{file}:{number}: {error}; expected id, image, label 0 or 1, dup_group, and split train or dev"
            ) from None
    if twice := [name for name, times in Counter(meme.id for meme in found).items() if times > 1]:
        raise ValueError(f"{file}: {twice[0]!r} and {len(twice) - 1} other ids stand there twice; expected each once")
    sides = {meme.train: {one.group for one in found if one.train is meme.train} for meme in found}
    if len(sides) == 2 and (shared := sides[True] & sides[False]):
        raise ValueError(f"{file}: {len(shared)} groups of near-duplicates are in train and dev; expected each in one")
    return found


def extract(
    pack: Pack, processors: Sequence[AnyProcessor], memes: Sequence[Meme], progress: Callable[[int], None]
) -> Features:
    """Each meme as a post of its own through `processors`, the stages of `ROUTE`, of which encode pools
    (`EncodeProcessor.of(pooled=True)`); those that failed are left out."""
    return features_of(pack, _passed(processors, memes, progress))


def features_of(pack: Pack, judged: Iterator[tuple[Meme, Record]]) -> Features:
    """The features of memes that have been through the stages of `ROUTE`. Raises ValueError where none has."""
    judge = Judge(pack)
    memes: list[Meme] = []
    tokens: dict[str, list[NDArray[np.float32] | None]] = {name: [] for name in STREAMS}
    weights: dict[str, list[float]] = {name: [] for name in STREAMS}
    scores: list[dict[str, float]] = []
    for meme, record in judged:
        memes.append(meme)
        parts = judge.scores(record).parts
        features = record.pack.features if record.pack is not None else {}
        trusted = part_weights(features, parts, pack.manifest.gating)
        scores.append({f"{part}.{label}": value for part, said in parts.items() for label, value in said.items()})
        for part, name in MODALITY_PARTS.items():
            found = tokens_of(record.encode, part) if record.encode is not None else None
            token = found[0] if found is not None else None  # a meme is one picture
            tokens[name].append(token)
            weights[name].append(trusted.get(part, 0.0) if token is not None else 0.0)
    if not memes:
        raise ValueError("no meme went through the chain; expected pictures that can be read")
    return Features(
        ids=np.array([meme.id for meme in memes]),
        groups=np.array([meme.group for meme in memes]),
        train=np.array([meme.train for meme in memes], bool),
        heads=(LABEL,),
        truth=np.array([[meme.hateful] for meme in memes], np.float32),
        tokens={name: _stacked(found) for name, found in tokens.items()},
        weights={name: np.array(found, np.float32) for name, found in weights.items()},
        scores={
            name: np.array([row.get(name, np.nan) for row in scores])
            for name in sorted({name for row in scores for name in row})
        },
    )


def _passed(
    processors: Sequence[AnyProcessor], memes: Sequence[Meme], progress: Callable[[int], None]
) -> Iterator[tuple[Meme, Record]]:
    for start in range(0, len(memes), CHUNK):
        chunk = memes[start : start + CHUNK]
        outcomes = run_chain(processors, [_record(meme, start + at) for at, meme in enumerate(chunk)])
        for meme, outcome in zip(chunk, outcomes, strict=True):
            if isinstance(outcome, Record):
                yield meme, outcome
        progress(start + len(chunk))


def _stacked(found: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32]:
    """[rows, 1, size]; a stream that no row has is one number wide."""
    size = next((len(token) for token in found if token is not None), 1)
    empty = np.zeros(size, np.float32)
    return np.stack([empty if token is None else token for token in found])[:, None, :].astype(np.float32)


def save(features: Features, path: Path) -> None:
    """One npz."""
    flat = {
        f"{group}/{name}": values
        for group in ("tokens", "weights", "scores")
        for name, values in getattr(features, group).items()
    }
    np.savez_compressed(
        path,
        ids=features.ids,
        groups=features.groups,
        train=features.train,
        heads=np.array(features.heads),
        truth=features.truth,
        **flat,
    )


def load(path: Path) -> Features:
    """What `save` wrote. Raises OSError, and ValueError for another file."""
    groups: dict[str, dict[str, Any]] = {"tokens": {}, "weights": {}, "scores": {}}
    try:
        with np.load(path) as found:
            for key in found.files:
                group, _, name = key.partition("/")
                if name:
                    groups[group][name] = found[key]
            return Features(
                ids=found["ids"],
                groups=found["groups"],
                train=found["train"],
                heads=tuple(found["heads"].tolist()),
                truth=found["truth"],
                **groups,
            )
    # numpy has no error of its own: an empty file, an array, a text and half an archive each raise another one.
    except (KeyError, ValueError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path}: {error}; expected the features of `models_export.fusion features`") from None


def _record(meme: Meme, number: int) -> Record:
    return Record(
        post=Post(post_id=meme.id, media=(Media(media_id="meme", kind="image", uri=meme.path.resolve().as_uri()),)),
        source=Source(topic="fusion", partition=0, offset=number, timestamp_ms=0),
        content_hash=hashlib.sha256(meme.id.encode()).hexdigest(),
        received_ms=0,
        route=ROUTE,
    )
