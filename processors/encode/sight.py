"""The pictures of posts, from the media store to the image expert's scores. The same picture is scored once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.contract import ModalityError, ProcessingError, TransientError
from processors.encode.image import ImageRunner, PictureScores
from processors.encode.picture import Pixels, cut_out
from processors.engines import Engine, EngineStatistics
from processors.lru import Lru
from processors.media.pictures import PictureReader
from processors.media.store import MediaMissing, StoreAway
from processors.packs.image_part import ImageExpert
from schemas import Cause, ImageScores, Picture, Record

IMAGE = "image"

CACHED_PICTURES = 4_096
"""Scores are kept of so many pictures: some 4 KB each."""


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture that waits for its scores, or one whose scores are known."""

    object: str
    cut_out: Pixels | None
    scores: PictureScores | None = None


class Sight:
    """Safe to call from several threads.

    Scores are remembered by the SHA-256 of a picture's pixels as stored: equal bytes have equal scores, whoever posts
    them.
    """

    def __init__(
        self,
        engine: Engine,
        runner: ImageRunner,
        expert: ImageExpert,
        pictures: PictureReader,
        *,
        cached: int = CACHED_PICTURES,
    ) -> None:
        self.engine = engine
        self._runner = runner
        self._expert = expert
        self._pictures = pictures
        self._known: Lru[str, PictureScores] = Lru(cached)
        self._statistics = EngineStatistics()
        self._lock = threading.Lock()

    @property
    def statistics(self) -> EngineStatistics:
        """What the engine has done since the start, warm-up apart; rows are pictures."""
        with self._lock:
            return self._statistics

    def warm_up(self) -> None:
        side = self._expert.input.size
        self._runner.run([np.zeros((side, side, 3), np.uint8)])

    def prepare(self, record: Record) -> tuple[SeenPicture, ...]:
        """The record's pictures, in the order of its `fetch` section.

        Raises `ModalityError` where one of them is gone, and `TransientError` where the store is away.
        """
        return tuple(self._seen(record.post.tenant, picture) for _, picture in record.pictures)

    def scores(self, posts: Sequence[Sequence[SeenPicture]]) -> list[ImageScores | ProcessingError | None]:
        """For each post's pictures their scores; None for a post without any. One call of the runner for all.

        Raises `EngineError` where the engine fails, for all.
        """
        known = {seen.object: seen.scores for post in posts for seen in post if seen.scores is not None}
        new = {
            seen.object: seen.cut_out
            for post in posts
            for seen in post
            if seen.object not in known and seen.cut_out is not None
        }
        if new:
            found, statistics = self._runner.run(list(new.values()))
            with self._lock:
                self._statistics += statistics
            for name, scores in zip(new, found, strict=True):
                known[name] = scores
                self._known.put(name, scores)
        return [self._section([known[seen.object] for seen in post]) if post else None for post in posts]

    def _seen(self, tenant: str, picture: Picture) -> SeenPicture:
        if (scores := self._known.get(picture.object)) is not None:
            return SeenPicture(picture.object, None, scores)
        try:
            pixels = self._pictures.read(tenant, picture.object)
        except MediaMissing as error:
            raise ModalityError(IMAGE, f"a picture cannot be looked at: {error}") from error
        except StoreAway as error:
            raise TransientError(Cause.TRANSIENT, f"the media store cannot be read now: {error}", "fetch") from error
        return SeenPicture(picture.object, cut_out(pixels, self._expert.input))

    def _section(self, scores: Sequence[PictureScores]) -> ImageScores | ProcessingError:
        logits, features = _stacked([one.logits for one in scores]), _stacked([one.features for one in scores])
        if not (np.isfinite(logits).all() and np.isfinite(features).all()):
            reason = "the image expert's output is not finite; expected numbers"
            return ProcessingError(Cause.POISON, reason, "encode.image")
        return ImageScores(logits=logits, features=features, engine=self.engine.provider)


def _stacked(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """[pictures, n] of as many [n]."""
    return np.stack(rows)
