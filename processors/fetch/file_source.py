"""Media in files, below the folders that the operator names; what lies elsewhere cannot even be asked about."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Generator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from processors.fetch.body import Body
from processors.fetch.faults import RemoteFault, Unfetchable

READ_BYTES = 1024 * 1024


class FileSource:
    """`file:///path`, or `file:path` for one below a root (the first that has it); percent-encoded where need be."""

    def __init__(self, roots: Sequence[Path], max_bytes: int, threads: Executor) -> None:
        self._roots = tuple(roots)
        self._max_bytes = max_bytes
        self._threads = threads

    async def read(self, uri: str, _tenant: str, /) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, uri)

    def _read(self, uri: str) -> bytes:
        root, path = self._placed(_path(uri))
        with _faults(), _opened(root, path) as descriptor:
            body = Body(self._max_bytes)
            while chunk := os.read(descriptor, READ_BYTES):
                body.add(chunk)
            return body.whole()

    def _placed(self, path: Path) -> tuple[Path, Path]:
        """The root that a path is really below, and where from there; all links followed."""
        try:
            roots = [root.resolve() for root in self._roots]
            if not path.is_absolute():
                path = next((root / path for root in roots if (root / path).exists()), path)
            real = path.resolve()
            for root in roots:
                if real.is_relative_to(root):
                    return root, real.relative_to(root)
        except (OSError, RuntimeError, ValueError):  # links in a circle, a name too long, a null character
            pass
        raise Unfetchable("its file is not below a folder of media.file_roots")


def _path(uri: str) -> Path:
    try:
        parts = urlsplit(uri)
    except ValueError:  # brackets, or characters that become others when a host is normalised
        raise Unfetchable("its address is not valid") from None
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path or parts.query or parts.fragment:
        raise Unfetchable("its address is not a file's, expected as in file:///folder/name.jpg")
    return Path(path)


@contextmanager
def _opened(root: Path, path: Path) -> Generator[int]:
    """A regular file, opened folder by folder without following links: none can be put in its way after the check."""
    held = [os.open(root, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for folder in path.parts[:-1]:
            held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=held[-1]))
        # Not blocking: opening a pipe would wait for somebody to write to it.
        descriptor = os.open(path.name or ".", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=held[-1])
        held.append(descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unfetchable("its address is not that of a regular file")
        yield descriptor
    finally:
        for descriptor in held:
            os.close(descriptor)


@contextmanager
def _faults() -> Generator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise Unfetchable("its file is not there") from None
    except PermissionError:
        raise Unfetchable("its file may not be read") from None
    except OSError as error:
        raise RemoteFault(f"its file cannot be read: {error.strerror}") from None
