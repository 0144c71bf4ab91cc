from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# A child that is guarded in the way that is named, and then only waits; it holds the pipe as long as it lives.
CHILD = """
import os, signal, sys
from streams.broker import guard
if sys.argv[1] == "kernel":
    guard.die_with_parent()
else:
    guard.be_watched(os.getppid())
print("guarded", flush=True)
signal.pause()
"""
PARENT = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}, sys.argv[1]])
signal.pause()
"""
KERNEL = pytest.param("kernel", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux has the signal"))


@pytest.mark.parametrize("way", [KERNEL, "watcher"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_guarded_process_ends_with_its_parent(way: str, end: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, way], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "guarded\n"
    parent.send_signal(end)
    parent.wait()
    # The pipe ends when nobody is left that holds it: neither the child nor its watcher.
    assert parent.stdout.read() == ""
    parent.stdout.close()


def test_a_watcher_ends_with_the_process_that_it_watches() -> None:
    code = "import os; from streams.broker import guard; guard.be_watched(os.getppid()); print('done', flush=True)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.communicate()[0] == "done\n"
    assert child.returncode == 0


def test_a_command_whose_parent_is_gone_already_is_not_started() -> None:
    from streams.broker import guard

    not_the_parent = 1
    command = [sys.executable, guard.__file__, str(not_the_parent), "/bin/echo", "started"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""
