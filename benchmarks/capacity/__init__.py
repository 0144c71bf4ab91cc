"""What a day of posts needs: cores, workers, partitions, brokers and storage, from measured costs."""

from __future__ import annotations

from benchmarks.capacity.run import NAME, run

__all__ = ["NAME", "run"]
