"""What a decoder takes from itself, without a pool that watches it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SPIN = """
from processors.media.decoder.confinement import allow_processor_time
allow_processor_time(0.1)
while True:
    pass
"""

GROW = """
from processors.media.decoder.confinement import confine
confine(64)
kept = bytes(32 * 1024 * 1024)
try:
    bytes(64 * 1024 * 1024)
except MemoryError:
    raise SystemExit(7)
"""


def test_a_decoder_that_nobody_watches_ends_by_its_processor_time() -> None:
    assert subprocess.run([sys.executable, "-c", SPIN], check=False).returncode == -signal.SIGXCPU


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has no limit of the address space that holds")
def test_a_decoder_has_only_so_much_memory() -> None:
    assert subprocess.run([sys.executable, "-c", GROW], check=False).returncode == 7
