"""What is held in memory: the newest of each kind, found by post, and counts by the second. All of it is bounded."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

Key = tuple[int, int]
"""Partition and offset."""

MAX_KINDS = 300
"""Different things that are counted in a second: stages times causes are some 60. What senders invent is not told
apart beyond that."""


class Ring(Generic[T]):
    """The newest `size` values in the order in which they came, found by the post that they are about."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Key, tuple[str, T]] = OrderedDict()
        self._by_post: dict[str, list[Key]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def add(self, key: Key, post_id: str, value: T) -> None:
        """A value that is there already stays as it is: a partition may be read twice."""
        if key in self._values:
            return
        self._values[key] = (post_id, value)
        self._by_post.setdefault(post_id, []).append(key)
        if len(self._values) > self._size:
            oldest = next(iter(self._values))
            self._forget(oldest, self._values.pop(oldest)[0])

    def newest(self) -> Iterator[T]:
        """The newest first."""
        return (value for _, value in reversed(self._values.values()))

    def of_post(self, post_id: str) -> list[T]:
        """In the order in which they came."""
        return [self._values[key][1] for key in self._by_post.get(post_id, ())]

    def drop_post(self, post_id: str) -> None:
        """Nothing of a deleted post stays."""
        for key in self._by_post.pop(post_id, ()):
            self._values.pop(key, None)

    def _forget(self, key: Key, post_id: str) -> None:
        keys = self._by_post[post_id]
        keys.remove(key)
        if not keys:
            del self._by_post[post_id]


class Counts(Generic[K]):
    """How many of each kind there were in each second, for the last `keep_s` seconds."""

    def __init__(self, keep_s: int) -> None:
        self._keep_s = keep_s
        self._seconds: dict[int, Counter[K]] = {}
        self._order: deque[int] = deque()

    def add(self, at_s: int, kind: K, now_s: int) -> None:
        """One that happened at `at_s` (seconds since the epoch); what is older than is kept, or of the future, counts
        where it can be seen: not at all, or now."""
        if at_s <= now_s - self._keep_s:
            return
        at_s = min(at_s, now_s)
        second = self._seconds.get(at_s)
        if second is None:
            second = self._seconds[at_s] = Counter()
            self._order.append(at_s)
            self._trim(now_s)
        if kind in second or len(second) < MAX_KINDS:
            second[kind] += 1

    def total(self, since_s: int, until_s: int) -> Mapping[K, int]:
        """Of the seconds from `since_s` up to but without `until_s`."""
        found: Counter[K] = Counter()
        for at_s, second in self._seconds.items():
            if since_s <= at_s < until_s:
                found.update(second)
        return found

    def second(self, at_s: int) -> Mapping[K, int]:
        return self._seconds.get(at_s, {})

    def _trim(self, now_s: int) -> None:
        # Seconds come nearly in order; those that came late wait behind a later one, and the length bounds them.
        while self._order and (self._order[0] <= now_s - self._keep_s or len(self._order) > self._keep_s):
            self._seconds.pop(self._order.popleft(), None)
