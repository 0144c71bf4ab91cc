"""Logits of labelled texts, found as the product finds them: the pack's own windows, both views, its graph."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processors.encode import EncodeProcessor
from processors.isolation import run_batch
from processors.pack.processor import PackProcessor
from processors.packs import load_pack
from processors.text.fold import folded_view
from processors.text.normalise import text_view
from schemas import Context, FieldView, IngestSection, Post, Record, Source, Stage

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
        # Neighbours of similar length leave less padding; scores do not depend on it.
        order = sorted(range(len(texts)), key=lambda at: len(texts[at].text))
        for done, chosen in _chunks(order):
            records = run_batch(self._pack, [_record(texts[at]) for at in chosen])
            records = run_batch(self._encode, [found for found in records if isinstance(found, Record)])
            if len(records) != len(chosen):
                raise RuntimeError(f"{title}: only {len(records)} of {len(chosen)} texts could be packed")
            for at, record in zip(chosen, records, strict=True):
                if not isinstance(record, Record):
                    raise record
                if record.encode is not None:
                    result[at] = record.encode.logits.max(0)
            if done % REPORT_EVERY < BATCH or done == len(texts):
                print(f"{title}: {done:,} of {len(texts):,} texts", file=sys.stderr, flush=True)
        return result


def _chunks(order: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        yield start + len(chosen), chosen


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
