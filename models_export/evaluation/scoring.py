"""Logits of labelled texts, found as the product finds them: its normalisation and language, its windows, its graph."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processors.contract import Outcome
from processors.encode import AttributionOptions, Attributor, EncodeProcessor
from processors.ingest import IngestProcessor
from processors.isolation import run_batch
from processors.pack.processor import PackProcessor
from processors.packs import load_pack
from schemas import Context, PackSection, Post, Record, Source, Stage

BATCH = 256  # posts handed over at once
REPORT_EVERY = 5_000


@dataclass(frozen=True, slots=True)
class LabelledText:
    """What a suite or a pool row holds of a post."""

    id: str
    text: str
    parent: str = ""


class PackScorer:
    """A pack as it is served, without Kafka. Posts do not name their language: it is found, as for most posts."""

    def __init__(self, folder: Path, threads: int | None = None, attribution: AttributionOptions | None = None) -> None:
        """`threads`: by default as many as there are cores. `attribution`: for records that say where something was
        found. Raises what `load_pack` raises."""
        pack = load_pack(folder)
        self.heads = pack.manifest.text.heads
        self._ingest = IngestProcessor()
        self._pack = PackProcessor(pack)
        self._encode = EncodeProcessor.of(
            pack, threads=threads, attributor=Attributor(pack, attribution) if attribution is not None else None
        )

    def logits(self, texts: Sequence[LabelledText], title: str) -> NDArray[np.float32]:
        """Logits of the highest window per head, float32 [texts, heads]; a text without any token has none (NaN).

        As calibration rises with the logit, the highest window's probability is the highest probability. `title` names
        the work in the progress lines.
        """
        result = np.full((len(texts), len(self.heads)), np.nan, np.float32)
        for start in range(0, len(texts), BATCH):
            packed = self._packed(texts[start : start + BATCH])
            for at, record in enumerate(map(_kept, run_batch(self._encode, packed)), start):
                if record.encode is not None:
                    result[at] = record.encode.logits.max(0)
            done = start + len(packed)
            if done % REPORT_EVERY < BATCH or done == len(texts):
                print(f"{title}: {done:,} of {len(texts):,} texts", file=sys.stderr, flush=True)
        return result

    def encoded(self, texts: Sequence[LabelledText]) -> list[Record]:
        """The texts' records as they leave the encode stage."""
        return [_kept(outcome) for outcome in run_batch(self._encode, self._packed(texts))]

    def windows(self, texts: Sequence[LabelledText]) -> list[list[NDArray[np.int32]]]:
        """The token ids of each text's windows."""
        return [[window.ids for window in _section(record).windows] for record in self._packed(texts)]

    def _packed(self, texts: Sequence[LabelledText]) -> list[Record]:
        read = run_batch(self._ingest, [_record(text) for text in texts])
        return [_kept(outcome) for outcome in run_batch(self._pack, [_kept(outcome) for outcome in read])]


def _record(text: LabelledText) -> Record:
    context = Context(parent_text=text.parent) if text.parent else None
    return Record(
        post=Post(post_id=text.id, text=text.text, context=context),
        source=Source(topic="evaluation", partition=0, offset=0, timestamp_ms=0),
        content_hash=hashlib.sha256(text.text.encode()).hexdigest(),
        received_ms=0,
        route=(Stage.INGEST,),
    )


def _kept(outcome: Outcome) -> Record:
    if isinstance(outcome, Record):
        return outcome
    raise outcome


def _section(record: Record) -> PackSection:
    if record.pack is None:
        raise RuntimeError(f"{record.post.post_id}: the pack stage gave no section")
    return record.pack
