"""The bounded memory of what was computed."""

from __future__ import annotations

import threading

import pytest

from processors.lru import Lru


def test_what_was_used_least_recently_goes_first() -> None:
    memory: Lru[str, int] = Lru(2)
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1
    memory.put("c", 3)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (1, None, 3)


def test_a_value_put_again_replaces_the_old_one_and_takes_no_more_room() -> None:
    memory: Lru[str, int] = Lru(2)
    for value in range(5):
        memory.put("a", value)
    memory.put("b", 9)
    assert (memory.get("a"), memory.get("b"), len(memory)) == (4, 9, 2)


def test_a_memory_without_room_keeps_nothing() -> None:
    memory: Lru[str, int] = Lru(0)
    memory.put("a", 1)
    assert memory.get("a") is None
    with pytest.raises(ValueError, match="expected 0 or more"):
        Lru(-1)


def test_threads_share_it_without_growing_it() -> None:
    memory: Lru[int, int] = Lru(50)
    wrong: list[tuple[int, int]] = []

    def work(seed: int) -> None:
        for step in range(2_000):
            key = (step * 31 + seed) % 120
            found = memory.get(key)
            if found is not None and found != key * key:
                wrong.append((key, found))
            memory.put(key, key * key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(memory) == 50
