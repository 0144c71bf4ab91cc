"""Which dead letters of a partition have been replayed: what is remembered from one replay to the next. Pure.

It is kept where consumers keep their place: as the offset and the metadata that the group `<group>.dlq` has committed,
in the same transaction as the replayed messages. Everything before the offset is done; the metadata has what is done
after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_METADATA = 4000
"""Characters. A broker refuses more than `offset.metadata.max.bytes`, 4096 by default."""

_RANGES = re.compile(r"(?:(\d{1,18})-(\d{1,18})(?:,|\Z))")

Range = tuple[int, int]
"""[first, end) in offsets."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Everything before the offset `before`, and what is in `later`: rising ranges, apart from each other, after it."""

    before: int = 0
    later: tuple[Range, ...] = ()

    def __contains__(self, offset: int) -> bool:
        return offset < self.before or any(first <= offset < end for first, end in self.later)

    def to_metadata(self) -> str:
        """`later` as text. Where it is too long the end is left out: those dead letters count as not replayed."""
        text = ""
        for first, end in self.later:
            part = f"{',' if text else ''}{first}-{end}"
            if len(text) + len(part) > MAX_METADATA:
                break
            text += part
        return text

    @classmethod
    def read(cls, committed: int, metadata: str | None) -> Replayed:
        """What a committed offset (negative: none) and its metadata say; metadata that is not ours says nothing."""
        before = max(0, committed)
        later: list[Range] = []
        for match in _RANGES.finditer(metadata or ""):
            first, end = int(match[1]), int(match[2])
            if not (later[-1][1] if later else before) <= first < end:
                return cls(before)
            later.append((first, end))
        return cls(before, tuple(later))


class Marks:
    """Brings a partition's `Replayed` forward while its dead letters are passed in order.

    Offsets without a dead letter (markers of transactions, what retention has deleted) never part two ranges.
    """

    def __init__(self, known: Replayed) -> None:
        self._known = known
        self._ranges: list[Range] = [(0, 0)]
        self._joined = True  # whether a dead letter that is done continues the last range
        self._at = 0

    def passed(self, offset: int, *, replayed: bool) -> None:
        """A dead letter that was not replayed before either breaks the range, or, replayed now, is part of it."""
        self._at = offset + 1
        if not replayed and offset not in self._known:
            self._joined = False
        elif self._joined:
            self._ranges[-1] = (self._ranges[-1][0], self._at)
        else:
            self._ranges.append((offset, self._at))
            self._joined = True

    def now(self) -> Replayed:
        """What is done, with what was known of the offsets that have not been passed yet."""
        ranges = list(self._ranges)
        for first, end in ((0, self._known.before), *self._known.later):
            if end > self._at:
                first = max(first, self._at)
                if ranges[-1][1] == first and self._joined:
                    ranges[-1] = (ranges[-1][0], end)
                else:
                    ranges.append((first, end))
        (_, before), *later = ranges
        return Replayed(before, tuple(later))
