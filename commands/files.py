"""Files as arguments: `-` is standard input."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

STDIN = "-"


@contextmanager
def opened(name: str) -> Generator[BinaryIO]:
    """The file to read. Raises OSError."""
    if name == STDIN:
        yield sys.stdin.buffer
    else:
        with Path(name).open("rb") as file:
            yield file
