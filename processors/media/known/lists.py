"""Lists of known content, and what of them a media item is on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from processors.media.known.distances import nearest
from processors.media.known.hash_file import HashFile, KnownListError, words_of
from schemas.sections import KnownContent

PDQ_MIN_QUALITY = 50
"""PDQ's authors advise to go by no hash of a lower quality: it is of a picture with next to nothing in it."""

LOOK_EVERY_S = 5.0
"""Seconds between looks at whether the files have changed: soon enough for people, too seldom to cost anything."""

_Version = tuple[int, int, int]
"""Time of change in nanoseconds, size, inode: one of them differs where a file was written again or replaced."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _List:
    name: str
    path: Path
    version: _Version | None
    """Of the file when it was last looked at; None where it was not there."""
    hashes: HashFile


class KnownLists:
    """All lists, read again when their files change. Safe to call from several threads.

    A file that turns out broken while we run leaves its list as it was, and one warning in the log. Reading a long
    list again takes a second or so, of the call that finds it changed; others go on with the old one.
    """

    def __init__(
        self, files: Sequence[Path], *, pdq_distance: int = 31, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """A list is named after its file, without the ending. Raises `KnownListError`."""
        self._pdq_distance = pdq_distance
        self._clock = clock
        self._lists = tuple(_read(path.stem, path) for path in files)
        names = [one.name for one in self._lists]
        for one in self._lists:
            if names.count(one.name) > 1:
                raise KnownListError(f"{one.path}: another file is named {one.name!r} too, and so would be its list")
        self._looked_at = clock()
        self._looking = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self._lists)

    def match(self, *, md5: str, sha256: str, pdqs: Sequence[tuple[str, int]]) -> tuple[KnownContent, ...]:
        """Of each list that the item is on, the surest match: exact before near, the nearest of the near.

        `md5` and `sha256` are of the item's bytes, `pdqs` the hashes of its pictures with their quality; all in hex.
        """
        self._look()
        wanted = [words_of(pdq) for pdq, quality in pdqs if quality >= PDQ_MIN_QUALITY]
        found: list[KnownContent] = []
        for one in self._lists:
            if one.hashes.has_sha256(sha256):
                found.append(KnownContent(list=one.name, by="sha256"))
            elif one.hashes.has_md5(md5):
                found.append(KnownContent(list=one.name, by="md5"))
            elif wanted:
                distance = min(nearest(one.hashes.long, pdq) for pdq in wanted)
                if distance <= self._pdq_distance:
                    found.append(KnownContent(list=one.name, by="pdq", distance=distance))
        return tuple(found)

    def _look(self) -> None:
        if self._clock() - self._looked_at < LOOK_EVERY_S or not self._looking.acquire(blocking=False):
            return
        try:
            self._lists = tuple(map(_read_again, self._lists))
            self._looked_at = self._clock()
        finally:
            self._looking.release()


def _read(name: str, path: Path) -> _List:
    # The version first: what changes between the two looks is read again next time.
    version = _version(path)
    return _List(name, path, version, HashFile.read(path))


def _read_again(known: _List) -> _List:
    version = _version(known.path)
    if version == known.version:
        return known
    try:
        hashes = HashFile.read(known.path)
    except KnownListError as error:
        _log.warning("the list %r stays as it was: %s", known.name, error)
        hashes = known.hashes
    else:
        _log.info("the list %r was read again: %d hashes", known.name, len(hashes))
    return _List(known.name, known.path, version, hashes)


def _version(path: Path) -> _Version | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
