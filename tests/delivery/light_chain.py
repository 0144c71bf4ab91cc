"""The chain's stages with nothing to compute, so that delivery tests measure delivery; and stages that misbehave.

Posts with media go by `fetch`, whose items end in any order, `ocr` and `asr`. Where a post's text begins with "long",
`fetch` finds its media to be long.

A post's text commands its fate at the stage `encode`: "poison" raises, "kill" ends the process, "transient" fails in a
way that may pass, "unreadable" loses its modality; "wait" blocks, and "broken until mended" raises, until a file (the
latch) appears. At `asr` "long wait" blocks like that, and first says so in a file of the latch's name and `.begun`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from processors.contract import AnyProcessor, BatchPolicy, Handle, ModalityError, Outcome, TransientError
from processors.ingest.processor import MEDIA_ROUTE, TEXT_ROUTE
from schemas import DOUBTFUL_STATUSES, Action, Decision, Modality, Record, Stage, Status, Versions

BATCHING = BatchPolicy(max_items=200, max_cost=200, max_wait_s=0.0)


class LightStage:
    """Passes records on; `fuse` decides."""

    batching = BATCHING

    def __init__(self, stage: Stage, latch: Path | None = None) -> None:
        self.stage = stage
        self._latch = latch

    def cost(self, record: Record) -> int:
        return 1

    def prepare(self, record: Record) -> Record:
        if self.stage is Stage.ENCODE and record.post.text == "unreadable":
            raise ModalityError("text", "cannot be read")
        return record

    def process(self, batch: Sequence[Record]) -> Sequence[Outcome]:
        return [self._one(record) for record in batch]

    def _one(self, record: Record) -> Outcome:
        if self.stage is Stage.ENCODE:
            match record.post.text:
                case "broken until mended" if self._latch is None or not self._latch.exists():
                    raise RuntimeError("the model is broken")
                case "poison":
                    raise ValueError("poisonous text")
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "transient":
                    return TransientError("transient", "the store is away")
                case "wait":
                    self._wait()
                case _:
                    pass
        if self.stage is Stage.ASR and record.post.text == "long wait":
            self._wait()
        if self.stage is Stage.INGEST:
            return replace(record, route=MEDIA_ROUTE if record.post.media else TEXT_ROUTE)
        return replace(record, decision=decide(record)) if self.stage is Stage.FUSE else record

    def _wait(self) -> None:
        if self._latch is not None:
            self._latch.with_suffix(".begun").touch()
            while not self._latch.exists():
                threading.Event().wait(0.01)


class LightFetch:
    """Passes records on, each after a wait of its own."""

    stage = Stage.FETCH
    concurrency = 64

    def cost(self, record: Record) -> int:
        return 1

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Handle]:
        waits = random.Random(4)

        async def handle(record: Record) -> Record:
            await asyncio.sleep(waits.choice((0.0, 0.0, 0.001, 0.02)))  # so that later items overtake
            return replace(record, long=(record.post.text or "").startswith("long"))

        yield handle


def decide(record: Record) -> Decision:
    """Approves what could be read."""
    modalities = {"text": Modality(status=Status.OK), **record.modalities}
    doubtful = any(modality.status in DOUBTFUL_STATUSES for modality in modalities.values())
    return Decision(
        decision_id=f"{record.post.post_id}/{record.content_hash[:16]}",
        post_id=record.post.post_id,
        tenant=record.post.tenant,
        lang="en",
        source=record.source,
        action=Action.REVIEW if doubtful else Action.APPROVE,
        confidence=1.0,
        labels={},
        severity=0,
        modalities=modalities,
        versions=Versions(code="test", pack="light@0", policy="light@0", layers=("default",)),
        decided_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),  # pyright: ignore[reportArgumentType]
    )


def light_chain(stages: Sequence[Stage], latch: Path | None = None) -> list[AnyProcessor]:
    return [
        LightFetch() if stage is Stage.FETCH else LightStage(stage, latch)
        for stage in stages
        if stage is not Stage.RETRY
    ]
