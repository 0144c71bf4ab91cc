"""What a decoder takes away from itself before it touches anybody's bytes."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from pathlib import Path

_OPEN_FILES = 32
"""Its pipes, and a library that is loaded late."""

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
"""Numbers of `prctl` in linux/prctl.h."""


def confine(memory_mb: int) -> None:
    """From here on: no files written, no core dumps, no privileges gained, `memory_mb` more address space than now.

    Where a system knows a limit not (macOS has none for the address space that holds), the others must do; the wall
    limit, which is kept from outside, holds everywhere.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    if sys.platform != "linux":
        # Linux counts threads, and all of the same user's: the decoder of HEIC cannot do without one.
        _limit(resource.RLIMIT_NPROC, 0)
    else:
        _limit(resource.RLIMIT_AS, _address_space() + memory_mb * 1024 * 1024)
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # Idle, it ends when its pipe does; busy, it would not see that.
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def allow_processor_time(seconds: float) -> None:
    """So much from now on, and SIGXCPU then: also when nobody is left who could watch the clock."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + seconds), hard))


def deaf_to_signals() -> None:
    """A terminal's or a service manager's signal to the whole group is for the worker, who ends its decoders itself:
    one that died of it would be blamed on the picture."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(what, (most, most))


def _address_space() -> int:
    """Bytes of this process's address space (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
