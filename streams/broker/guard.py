"""Becomes the broker's Java process, after making sure that it cannot outlive the process that asked for it.

Run as a script (`python guard.py PARENT COMMAND…`), and not as a `preexec_fn`, because a fork of a process with threads
must not run Python code. The standard library alone is used: this is started with `-I -S`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

# linux/prctl.h. The signal comes from the kernel, whatever way the parent ended; it survives `execv`.
PR_SET_PDEATHSIG = 1
# Where the kernel has no such signal, a watching process asks this often.
WATCH_INTERVAL_S = 0.5


def is_alive(process: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def die_with_parent() -> None:
    """Have the kernel kill this process when the *thread* that started it ends (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def be_watched(parent: int) -> None:
    """Fork a process that kills this one when `parent` is gone, and ends when this one does."""
    watched = os.getpid()
    if os.fork() != 0:
        return
    while os.getppid() == watched:
        if not is_alive(parent):
            os.kill(watched, signal.SIGKILL)
            break
        time.sleep(WATCH_INTERVAL_S)
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Guard this process with the process id in `arguments[0]`, then turn it into the command that follows."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        die_with_parent()
    else:
        be_watched(parent)
    # The parent may have ended before it was watched.
    if os.getppid() == parent:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted here


if __name__ == "__main__":
    main(sys.argv[1:])
