"""The stage `asr` of a pack that cannot hear: it says so, so that no post is approved unheard."""

from __future__ import annotations

from collections.abc import Sequence

from processors.asr.modality import SPEECH
from processors.contract import BatchPolicy, ModalityError, Outcome
from schemas import Record, Stage

BATCHING = BatchPolicy(max_items=256, max_cost=256, max_wait_s=0.0)

REASON = "the model pack has no model that hears speech (asr), and asr.model names none"


class UnheardSounds:
    """Every post with sound goes on with `speech` failed."""

    stage = Stage.ASR
    batching = BATCHING

    def cost(self, record: Record, /) -> int:
        """Posts."""
        return 1

    def prepare(self, record: Record, /) -> Record:
        """Raises ModalityError, with what earlier stages said of the modality."""
        before = record.modalities.get(SPEECH)
        told = [before.reason] if before is not None and before.reason else []
        raise ModalityError(SPEECH, "; ".join([*told, REASON]))

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return list(batch)
