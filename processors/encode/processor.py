"""Stage `encode`: the windows and pictures of a batch of posts, each kind in one call of its expert's runner; then
where in posts over a threshold the text expert found something."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.contract import BatchPolicy, ModalityError, Outcome, ProcessingError
from processors.encode.attribution import Attributor
from processors.encode.expert import open_expert
from processors.encode.image import open_image_expert
from processors.encode.pooling import part_embeddings
from processors.encode.sight import IMAGE, SeenPicture, Sight
from processors.engines import Device, Engine, EngineStatistics, Runner
from processors.media.pictures import PictureReader
from processors.packs import Pack
from schemas import Attribution, Cause, EncodeSection, ImageScores, Modality, PackSection, Record, Stage, Status

CPU_BATCHING = BatchPolicy(max_items=16, max_cost=1_024, max_wait_s=0.0)
"""A core gains nothing from a batch but company for its neighbours: enough windows that all cores end about together,
and few enough (about a third of a second on two cores) that a post does not wait long behind others."""

GPU_BATCHING = BatchPolicy(max_items=256, max_cost=16_384, max_wait_s=0.002)
"""A GPU is idle in a small batch; 2 ms are less than what one costs."""

WARM_UP_TOKENS = (8, 64)
"""A short and a long window: the first run of a graph allocates, and on a GPU chooses its kernels."""


PICTURE_TOKENS = 40
"""What a picture costs, in tokens: 22 ms of a core, of which the text expert takes 0.6 for a token."""

TEXT = "text"


@dataclass(frozen=True, slots=True)
class WithPictures:
    """A record and its pictures, read and cut out."""

    record: Record
    pictures: tuple[SeenPicture, ...]


Prepared = Record | WithPictures
"""A record without pictures needs nothing."""


class EncodeProcessor:
    """A record without windows and pictures passes untouched. Safe to call from several threads."""

    stage = Stage.ENCODE

    def __init__(
        self,
        engine: Engine,
        runner: Runner,
        *,
        graph: str,
        batching: BatchPolicy = CPU_BATCHING,
        heads: int = 0,
        sight: Sight | None = None,
        pooled: bool = False,
        attributor: Attributor | None = None,
    ) -> None:
        """`graph`: what decisions and metrics call it. `heads`: the text expert's, for posts without text. `sight`:
        looks at pictures; without it they are left to other witnesses. `pooled`: whether a fusion asks for the
        embedding of each part of the post. `attributor`: says where in a post the text expert found something."""
        self.batching = batching
        self.graph = graph
        self.engine = engine
        self._runner = runner
        self._heads = heads
        self._sight = sight
        self._pooled = pooled
        self._attributor = attributor
        self._statistics = EngineStatistics()
        self._lock = threading.Lock()

    @classmethod
    def of(
        cls,
        pack: Pack,
        pictures: PictureReader | None = None,
        *,
        device: Device = "cpu",
        threads: int | None = None,
        provider_options: Mapping[str, Mapping[str, str]] | None = None,
        engines: Path | None = None,
        batching: BatchPolicy | None = None,
        pooled: bool = False,
        attributor: Attributor | None = None,
    ) -> EncodeProcessor:
        """The stage for a pack, warmed up; see `open_expert` for the arguments and errors.

        `pictures`: where pictures are read from; a chain without media needs none. `pooled`: embed each part of a post,
        also for a pack without a fusion, which would ask for it. `attributor`: of the same pack.
        """
        engine, runner = open_expert(
            pack, device=device, threads=threads, provider_options=provider_options, engines=engines
        )
        longest = pack.layout.window_tokens
        runner.run([np.full(min(tokens, longest), pack.layout.bos, np.int32) for tokens in WARM_UP_TOKENS])
        sight: Sight | None = None
        if pictures is not None and (expert := pack.manifest.image) is not None:
            opened = open_image_expert(
                pack, expert, device=device, threads=threads, provider_options=provider_options, engines=engines
            )
            sight = Sight(*opened, expert, pictures)
            sight.warm_up()
        batching = batching or (CPU_BATCHING if device == "cpu" else GPU_BATCHING)
        heads = len(pack.manifest.text.heads)
        pooled = pooled or pack.manifest.fusion is not None
        return cls(
            engine,
            runner,
            graph=TEXT,
            batching=batching,
            heads=heads,
            sight=sight,
            pooled=pooled,
            attributor=attributor,
        )

    @property
    def statistics(self) -> EngineStatistics:
        """What the text expert's engine has done since the start, warm-up apart."""
        with self._lock:
            return self._statistics

    def engines(self) -> Mapping[str, tuple[str, EngineStatistics]]:
        """Graph -> the provider that it runs on, and what it has done since the start, warm-up apart."""
        found = {self.graph: (self.engine.provider, self.statistics)}
        if self._sight is not None:
            found[IMAGE] = (self._sight.engine.provider, self._sight.statistics)
        return found

    def cost(self, record: Record, /) -> int:
        """Tokens, and what pictures cost in tokens."""
        tokens = sum(len(window.ids) for window in record.pack.windows) if record.pack else 0
        return tokens + (PICTURE_TOKENS * len(record.pictures) if self._sight is not None else 0)

    def prepare(self, record: Record, /) -> Prepared:
        """Reads and cuts out the pictures; where one is gone, modality `image` has failed and the text goes on.

        Raises `ProcessingError` for a record that pack has not seen, and `TransientError` where the store is away.
        """
        if record.pack is None:
            raise ProcessingError(Cause.INVALID_RECORD, "no such section; expected pack to run before encode", "pack")
        if self._sight is None:
            return record
        try:
            pictures = self._sight.prepare(record)
        except ModalityError as error:
            return _failed(record, error)
        return WithPictures(record, pictures) if pictures else record

    def process(self, batch: Sequence[Prepared], /) -> Sequence[Outcome]:
        """Raises `EngineError` where an engine fails, for the whole batch."""
        records = [item.record if isinstance(item, WithPictures) else item for item in batch]
        rows = [window.ids for record in records if record.pack for window in record.pack.windows]
        logits, embeddings = self._read(rows) if rows else (np.zeros((0, self._heads), np.float32),) * 2
        images = self._look(batch)
        ends = np.cumsum([len(record.pack.windows) if record.pack else 0 for record in records])[:-1]
        logits_of, embeddings_of = np.split(logits, ends), np.split(embeddings, ends)
        attributions = self._attribute(records, logits_of)
        outcomes: list[Outcome] = []
        for at, (record, image) in enumerate(zip(records, images, strict=True)):
            if isinstance(image, ProcessingError):
                outcomes.append(image)
            else:
                outcomes.append(self._with_section(record, logits_of[at], embeddings_of[at], image, attributions[at]))
        return outcomes

    def _attribute(
        self, records: Sequence[Record], logits: Sequence[NDArray[np.float32]]
    ) -> Sequence[tuple[Attribution, ...]]:
        if self._attributor is None:
            return [()] * len(records)
        return self._attributor.attribute(records, logits, lambda rows: self._read(rows)[0])

    def _read(self, rows: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        (logits, embeddings), statistics = self._runner.run(rows)
        with self._lock:
            self._statistics += statistics
        return logits, embeddings

    def _look(self, batch: Sequence[Prepared]) -> Sequence[ImageScores | ProcessingError | None]:
        if self._sight is None:
            return [None] * len(batch)
        return self._sight.scores([item.pictures if isinstance(item, WithPictures) else () for item in batch])

    def _with_section(
        self,
        record: Record,
        logits: NDArray[np.float32],
        embeddings: NDArray[np.float32],
        image: ImageScores | None,
        attributions: tuple[Attribution, ...],
    ) -> Outcome:
        """The record with the logits of all its windows and pictures, and the embedding of the window whose main label
        is highest.

        The main label is the pack's first head. Among several windows it is the worst that decides, and a mean would
        hide one bad sentence in a long text.
        """
        if not len(logits) and image is None:
            return record
        if not np.isfinite(logits).all():
            return ProcessingError(Cause.POISON, "the text expert's logits are not finite; expected numbers", "encode")
        # Copies: slices would keep the whole batch's arrays alive.
        embedding = embeddings[int(logits[:, 0].argmax())].copy() if len(logits) else np.zeros(0, np.float32)
        engine = self.engine.provider if len(logits) else None
        windows = record.pack.windows if record.pack is not None and self._pooled else ()
        parts = part_embeddings(windows, logits, embeddings)
        section = EncodeSection(
            logits=logits.copy(),
            embedding=embedding,
            engine=engine,
            image=image,
            parts=parts,
            attributions=attributions,
        )
        return replace(record, pack=_without_places(record.pack), encode=section)


def _without_places(pack: PackSection | None) -> PackSection | None:
    """Attribution was the last to ask for them, and they are twice as large as the token ids."""
    if pack is None or all(window.places is None for window in pack.windows):
        return pack
    return replace(pack, windows=tuple(replace(window, places=None) for window in pack.windows))


def _failed(record: Record, error: ModalityError) -> Record:
    """The record without its pictures' scores; what earlier stages said of them stays."""
    before = record.modalities.get(error.modality)
    known = before.reason if before is not None and before.reason else ""
    # It may have come here before: a post that is taken back from a canary does.
    reason = known if error.reason in known else "; ".join(filter(None, (known, error.reason)))
    noted = Modality(status=Status.FAILED, reason=reason)
    return replace(record, modalities={**record.modalities, error.modality: noted})
