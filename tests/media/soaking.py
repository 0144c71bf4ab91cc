"""What soak tests of decoders measure."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from processors.media.decoder import Decoded, DecoderPool, Undecodable


def resident(pid: int | None = None) -> int:
    """Bytes of a process (this one) in memory; on systems without /proc, the most there ever were of this one."""
    if sys.platform == "linux":
        return int(Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def outcome(pool: DecoderPool, data: bytes) -> Decoded | Undecodable:
    """What becomes of an item; `DecoderBroken` is nobody's outcome."""
    try:
        return await pool.decode(data)
    except Undecodable as error:
        return error
