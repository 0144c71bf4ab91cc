"""Offset maps: from code points of a derived text back to code points of the text it was made from."""

from __future__ import annotations

from bisect import bisect_right

import msgspec


class OffsetMap(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Maps spans of a view (a normalised text) to spans of the original; both count Unicode code points.

    The view is cut into runs. Run i covers the view from `starts[i]` to the next run's start (the last one to
    `view_length`) and begins at `origins[i]` of the original. `widths[i]` is 0 for a copied run, whose k-th code point
    stands for the k-th of the original; else the whole run stands for that many code points (`ﬁ` -> `fi`, a URL -> its
    placeholder). Originals between two runs were dropped from the view. A text that did not change has no runs.
    """

    original_length: int
    view_length: int
    starts: tuple[int, ...] = ()
    origins: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.starts) == len(self.origins) == len(self.widths):
            raise ValueError("starts, origins and widths must be of one length")
        if self.starts and self.starts[0] != 0:
            raise ValueError("the first run must start at 0")
        if not self.starts and self.view_length and self.view_length != self.original_length:
            raise ValueError("a map without runs must be an identity, or of an empty view")

    @classmethod
    def identity(cls, length: int) -> OffsetMap:
        """The map of a text that did not change."""
        return cls(length, length)

    @property
    def is_identity(self) -> bool:
        return not self.starts and self.view_length == self.original_length

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span [start, end) of the original that holds all that the view's span [start, end) stands for.

        An empty span gives an empty span. Raises ValueError for a span that does not lie in the view.
        """
        if not 0 <= start <= end <= self.view_length:
            raise ValueError(f"span [{start}, {end}) does not lie in a view of {self.view_length} code points")
        if not self.starts:
            return (start, end) if self.view_length else (0, 0)
        first = self._point(start)[0] if start < self.view_length else self._point(start - 1)[1]
        return first, (self._point(end - 1)[1] if end > start else first)

    def compose(self, base: OffsetMap) -> OffsetMap:
        """This map's view -> `base`'s original, where `base`'s view is what this map calls the original.

        Raises ValueError where the two do not meet.
        """
        if self.original_length != base.view_length:
            raise ValueError(f"a map of {self.original_length} code points does not follow one to {base.view_length}")
        if base.is_identity:
            return self
        if self.is_identity:
            return base
        builder = OffsetMapBuilder()
        for start, end, origin, width in self._runs():
            if width:
                builder.run(end - start, base.to_original(origin, origin + width), block=True)
                continue
            mid, stop = origin, origin + end - start
            while mid < stop:
                piece = min(base._run_end(mid), stop)
                builder.run(piece - mid, base.to_original(mid, piece), block=base._width_at(mid) > 0)
                mid = piece
        return builder.build(base.original_length)

    def _runs(self) -> list[tuple[int, int, int, int]]:
        """(view start, view end, origin, width) of each run, the implied one of an identity included."""
        if not self.starts:
            return [(0, self.view_length, 0, 0)] if self.view_length else []
        return list(zip(self.starts, (*self.starts[1:], self.view_length), self.origins, self.widths, strict=True))

    def _run_index(self, position: int) -> int:
        return bisect_right(self.starts, position) - 1

    def _run_end(self, position: int) -> int:
        following = self._run_index(position) + 1
        return self.starts[following] if following < len(self.starts) else self.view_length

    def _width_at(self, position: int) -> int:
        return self.widths[self._run_index(position)] if self.starts else 0

    def _point(self, position: int) -> tuple[int, int]:
        """The original span that one code point of the view stands for."""
        run = self._run_index(position)
        origin, width = self.origins[run], self.widths[run]
        if width:
            return origin, origin + width
        origin += position - self.starts[run]
        return origin, origin + 1


class OffsetMapBuilder:
    """Builds a map from left to right, by saying what was done to each stretch of the original."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._origins: list[int] = []
        self._widths: list[int] = []
        self._view = 0
        self._original = 0

    def copy(self, count: int) -> None:
        """`count` code points of the original stand in the view, one for one (not necessarily the same ones)."""
        if count > 0:
            self.run(count, (self._original, self._original + count), block=False)

    def drop(self, count: int) -> None:
        """`count` code points of the original have nothing in the view."""
        self._original += count

    def replace(self, view_count: int, original_count: int) -> None:
        """`original_count` code points became `view_count`, as a whole."""
        if view_count == 0:
            self.drop(original_count)
        elif original_count == 0:
            raise ValueError("what stands in a view stands for something in the original: give it to a neighbour")
        else:
            self.run(view_count, (self._original, self._original + original_count), block=True)

    def run(self, view_count: int, span: tuple[int, int], *, block: bool) -> None:
        """The next `view_count` code points of the view stand for `span`; as a whole if `block`, else one for one."""
        origin, end = span
        width = end - origin if block and (view_count, end - origin) != (1, 1) else 0
        if not self._continues(origin, width):
            self._starts.append(self._view)
            self._origins.append(origin)
            self._widths.append(width)
        self._view += view_count
        self._original = end

    def _continues(self, origin: int, width: int) -> bool:
        """Whether the last run just goes on: a copied one without a gap, or more of the same block."""
        if not self._starts or width != self._widths[-1]:
            return False
        if width:
            return origin == self._origins[-1]
        return origin == self._origins[-1] + self._view - self._starts[-1]

    def build(self, original_length: int | None = None) -> OffsetMap:
        """The map. Give the original's length where its end was dropped without saying so."""
        length = self._original if original_length is None else original_length
        if self._starts == [0] and self._origins == [0] and self._widths == [0] and self._view == length:
            return OffsetMap.identity(length)
        return OffsetMap(length, self._view, tuple(self._starts), tuple(self._origins), tuple(self._widths))
