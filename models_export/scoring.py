"""Logits of labelled texts, found as the product finds them: the pack's own windows, both views, its graph."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processors.contract import Outcome
from processors.encode import EncodeProcessor
from processors.isolation import run_batch
from processors.pack.processor import PackProcessor
from processors.packs import load_pack
from processors.text.fold import folded_view
from processors.text.normalise import text_view
from schemas import Context, FieldView, IngestSection, PackSection, Post, Record, Source, Stage

BATCH = 256  # posts handed over at once
REPORT_EVERY = 5_000


@dataclass(frozen=True, slots=True)
class LabelledText:
    """What a suite or a pool row holds of a post."""

    id: str
    text: str
    lang: str
    parent: str = ""


class PackScorer:
    """A pack as it is served, without Kafka."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """Raises what `load_pack` raises."""
        pack = load_pack(folder)
        self.heads = pack.manifest.text.heads
        self._pack = PackProcessor(pack)
        self._encode = EncodeProcessor.of(pack, threads=threads)

    def logits(self, texts: Sequence[LabelledText], title: str) -> NDArray[np.float32]:
        """Logits of the highest window per head, float32 [texts, heads]; a text without any token has none (NaN).

        As calibration rises with the logit, the highest window's probability is the highest probability.
        """
        result = np.full((len(texts), len(self.heads)), np.nan, np.float32)
        for start in range(0, len(texts), BATCH):
            packed = run_batch(self._pack, [_record(text) for text in texts[start : start + BATCH]])
            encoded = run_batch(self._encode, [_kept(outcome) for outcome in packed])
            for at, record in enumerate(map(_kept, encoded), start):
                if record.encode is not None:
                    result[at] = record.encode.logits.max(0)
            done = start + len(encoded)
            if done % REPORT_EVERY < BATCH or done == len(texts):
                print(f"{title}: {done:,} of {len(texts):,} texts", file=sys.stderr, flush=True)
        return result

    def windows(self, texts: Sequence[LabelledText]) -> list[list[NDArray[np.int32]]]:
        """The token ids of each text's windows."""
        records = run_batch(self._pack, [_record(text) for text in texts])
        return [[window.ids for window in _packed(record).windows] for record in map(_kept, records)]


def _kept(outcome: Outcome) -> Record:
    if isinstance(outcome, Record):
        return outcome
    raise outcome


def _packed(record: Record) -> PackSection:
    if record.pack is None:
        raise RuntimeError(f"{record.post.post_id}: the pack stage gave no section")
    return record.pack


def _record(text: LabelledText) -> Record:
    post = Post(post_id=text.id, text=text.text, lang=text.lang, context=Context(parent_text=text.parent or None))
    fields = {"text": _view(text.text)}
    if text.parent:
        fields["parent"] = _view(text.parent)
    return Record(
        post=post,
        source=Source(topic="evaluation", partition=0, offset=0, timestamp_ms=0),
        content_hash=hashlib.sha256(text.text.encode()).hexdigest(),
        received_ms=0,
        route=(Stage.INGEST, Stage.PACK, Stage.ENCODE),
        ingest=IngestSection(lang=text.lang, lang_confidence=1.0, fields=fields),
    )


def _view(text: str) -> FieldView:
    view, to_original = text_view(text)
    folded = folded_view(view, to_original)
    second, second_map = folded if folded else (None, None)
    return FieldView(original_length=len(text), text=view, text_map=to_original, folded=second, folded_map=second_map)
