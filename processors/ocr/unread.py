"""The stage `ocr` of a pack that cannot read pictures: it says so, so that no post is approved unread."""

from __future__ import annotations

from collections.abc import Sequence

from processors.contract import BatchPolicy, ModalityError, Outcome
from processors.ocr.modality import OCR
from schemas import Record, Stage

BATCHING = BatchPolicy(max_items=256, max_cost=256, max_wait_s=0.0)


REASON = "the model pack has no graphs that read pictures (ocr), and ocr.models names none"


class UnreadPictures:
    """Every post with pictures goes on with `ocr` failed."""

    stage = Stage.OCR
    batching = BATCHING

    def cost(self, record: Record, /) -> int:
        """Posts."""
        return 1

    def prepare(self, record: Record, /) -> Record:
        """Raises ModalityError, with what earlier stages said of the modality."""
        before = record.modalities.get(OCR)
        told = [before.reason] if before is not None and before.reason else []
        raise ModalityError(OCR, "; ".join([*told, REASON]))

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return list(batch)
