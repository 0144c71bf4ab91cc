"""Readings that are remembered."""

from __future__ import annotations

from processors.reading_cache import CacheStatistics, ReadingCache


def test_what_was_read_is_known_again() -> None:
    cache: ReadingCache[str] = ReadingCache(2)
    assert cache.get("a") is None
    cache.put("a", "read")
    assert cache.get("a") == "read"
    assert cache.statistics == CacheStatistics(hits=1, misses=1)


def test_the_least_recently_used_goes_first() -> None:
    cache: ReadingCache[str] = ReadingCache(2)
    for name in ("a", "b"):
        cache.put(name, name)
    cache.get("a")
    cache.put("c", "c")
    assert [cache.get(name) for name in ("a", "b", "c")] == ["a", None, "c"]
    assert len(cache) == 2


def test_a_memory_of_nothing_remembers_nothing() -> None:
    cache: ReadingCache[str] = ReadingCache(0)
    cache.put("a", "read")
    assert cache.get("a") is None
