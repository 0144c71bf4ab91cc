"""What was read in a picture or heard in a sound, by its SHA-256: memes and clips are posted again and again."""

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

    Only identical bytes count as the same: what merely looks or sounds alike may say something else.
    """

    def __init__(self, size: int) -> None:
        """`size`: readings remembered at most; 0 remembers none."""
        self._readings: Lru[str, V] = Lru(size)
        self._hits = 0
        self._misses = 0
        self._lock = threading.Lock()

    @property
    def statistics(self) -> CacheStatistics:
        """Look-ups since the start."""
        with self._lock:
            return CacheStatistics(self._hits, self._misses)

    def get(self, key: str) -> V | None:
        reading = self._readings.get(key)
        with self._lock:
            self._hits += reading is not None
            self._misses += reading is None
        return reading

    def put(self, key: str, reading: V) -> None:
        self._readings.put(key, reading)

    def __len__(self) -> int:
        return len(self._readings)
