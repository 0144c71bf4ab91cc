"""A stage whose model the pack lacks: it says so, so that no post is approved unread or unheard."""

from __future__ import annotations

from collections.abc import Sequence

from processors.contract import BatchPolicy, ModalityError, Outcome
from schemas import Record, Stage

BATCHING = BatchPolicy(max_items=256, max_cost=256, max_wait_s=0.0)


class WithoutModel:
    """Every post that comes to the stage goes on with that modality failed."""

    batching = BATCHING

    def __init__(self, stage: Stage, modality: str, reason: str) -> None:
        """`reason`: which model is missing, and which setting could name one."""
        self.stage = stage
        self._modality = modality
        self._reason = reason

    def cost(self, record: Record, /) -> int:
        """Posts."""
        return 1

    def prepare(self, record: Record, /) -> Record:
        """Raises ModalityError, with what earlier stages said of the modality."""
        before = record.modalities.get(self._modality)
        told = [before.reason] if before is not None and before.reason else []
        raise ModalityError(self._modality, "; ".join([*told, self._reason]))

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return list(batch)
