"""The time that an item has, from within: a decoder that stops by itself keeps what it has, one that is killed keeps
nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """Parts, 0 to 1, of an item's time."""

    processor: float
    """Of processor time: what the item itself takes."""
    wall: float
    """Of wall time, which others make pass too: more of it, for an item is not to be cut because a machine is busy."""


SOUND = Share(processor=0.4, wall=0.6)
"""After which no more sound is decoded,"""
FRAMES = Share(processor=0.65, wall=0.8)
"""and no more frames: the rest is for writing what was found."""


class Clock:
    """Begins when it is made."""

    def __init__(self, timeout_s: float) -> None:
        self._wall_s = time.monotonic()
        self._processor_s = time.process_time()
        self._timeout_s = timeout_s

    def left_s(self, share: Share) -> float:
        """Seconds of wall time until the share is used up; never below 0."""
        return max(0.0, self._wall_s + share.wall * self._timeout_s - time.monotonic())

    def over(self, share: Share) -> bool:
        """Whether one of both is used up."""
        used_s = time.process_time() - self._processor_s
        return used_s > share.processor * self._timeout_s or self.left_s(share) == 0.0
