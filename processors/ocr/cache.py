"""What was read in a picture, by the picture's SHA-256: memes are posted again and again."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Generic, TypeVar

from processors.lru import Lru

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    hits: int = 0
    misses: int = 0


class ReadingCache(Generic[V]):
    """Least recently used goes first. Safe to call from several threads.

    Only identical bytes count as the same picture: one that merely looks alike may say something else.
    """

    def __init__(self, pictures: int) -> None:
        """`pictures`: remembered at most; 0 remembers none."""
        self._readings: Lru[str, V] = Lru(pictures)
        self._hits = 0
        self._misses = 0
        self._lock = threading.Lock()

    @property
    def statistics(self) -> CacheStatistics:
        """Look-ups since the start."""
        with self._lock:
            return CacheStatistics(self._hits, self._misses)

    def get(self, sha256: str) -> V | None:
        reading = self._readings.get(sha256)
        with self._lock:
            self._hits += reading is not None
            self._misses += reading is None
        return reading

    def put(self, sha256: str, reading: V) -> None:
        self._readings.put(sha256, reading)

    def __len__(self) -> int:
        return len(self._readings)
