"""Which frames of a video are looked at, chosen while they pass by.

Some of them evenly spread, for what goes on; the others where the video differs most from all that are kept, for what
is shown for a moment only. That is what `frames.chosen` does for pictures that move; but the frames of a video cannot
all be kept, nor decoded twice. So whenever there is no room, the one that is most like another gives way (the streaming
form of the farthest-first choice; Indyk et al., "Composable core-sets for diversity and coverage maximization", 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from processors.media.decoder.frames import apart

T = TypeVar("T")

STILL = 2
"""Levels of 255: thumbnails that differ by no more in any cell show the same but for the noise of a codec. A short word
in small letters moves a cell by ten and more."""

_FAR = np.iinfo(np.int16).max


class Choice(Generic[T]):
    """At most `count` of the frames of a video that lasts `seconds`, about one in `gap_s` seconds evenly spread and no
    more than half of them."""

    def __init__(self, count: int, seconds: float, gap_s: float) -> None:
        half = max(1, (count + 1) // 2)
        self.step_s = max(gap_s, seconds / max(1, half - 1))
        """Seconds between those that are evenly spread."""
        self._count = count
        self._due_s = 0.0
        self._dues_left = min(half, math.floor(seconds / self.step_s) + 2)
        self._for_last = int(self._dues_left > 1)
        self._times: list[float] = []
        self._kept: list[T] = []
        self._fixed: list[bool] = []
        self._thumbs = np.zeros((0, 0), np.int16)
        self._distances = np.zeros((0, 0), np.int16)

    def offer(self, t: float, thumb: NDArray[np.int16], take: Callable[[], T], *, last: bool = False) -> None:
        """A frame at `t` seconds with this thumbnail, int16 of any one shape; `take` is called where it is kept.

        `last`: it is one of the evenly spread.
        """
        due = self._dues_left > 0 if last else t >= self._due_s and self._dues_left > self._for_last
        if due:
            self._due_s = (math.floor(t / self.step_s) + 1) * self.step_s
            self._dues_left -= 1
        flat = thumb.reshape(-1)
        distances = apart(self._thumbs, flat) if self._kept else np.zeros(0, np.int16)
        nearest = int(distances.min(initial=_FAR))
        if nearest <= STILL:
            return
        if len(self._kept) >= self._count - self._dues_left:
            weakest = self._weakest()
            if weakest is None or not (due or nearest > self._distances[weakest].min()):
                return
            self._drop(weakest)
            distances = np.delete(distances, weakest)
        self._add(t, flat, distances, take(), due)

    @property
    def kept(self) -> list[tuple[float, T]]:
        """In the order of time."""
        order = sorted(range(len(self._kept)), key=lambda at: self._times[at])
        return [(self._times[at], self._kept[at]) for at in order]

    def _weakest(self) -> int | None:
        """The one that is most like another, of those that may give way."""
        nearest = self._distances.min(axis=1, initial=_FAR)
        return min((at for at, fixed in enumerate(self._fixed) if not fixed), key=nearest.__getitem__, default=None)

    def _drop(self, at: int) -> None:
        del self._times[at], self._kept[at], self._fixed[at]
        self._thumbs = np.delete(self._thumbs, at, axis=0)
        self._distances = np.delete(np.delete(self._distances, at, axis=0), at, axis=1)

    def _add(self, t: float, flat: NDArray[np.int16], distances: NDArray[np.int16], taken: T, fixed: bool) -> None:
        self._times.append(t)
        self._kept.append(taken)
        self._fixed.append(fixed)
        self._thumbs = flat[None] if len(self._thumbs) == 0 else np.vstack([self._thumbs, flat])
        grown = np.full((len(self._kept),) * 2, _FAR, np.int16)
        grown[:-1, :-1] = self._distances
        grown[-1, :-1] = grown[:-1, -1] = distances
        self._distances = grown
