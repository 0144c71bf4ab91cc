"""One list of known content: a file with a hash a line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MD5_DIGITS = 32
_LONG_DIGITS = 64
"""SHA-256 and PDQ are both of this length."""
_HEX = re.compile(rb"[0-9a-fA-F]+")


class KnownListError(Exception):
    """A list cannot be read. The message names file, line and what is expected."""


class HashFile:
    """The hashes of one file, packed and sorted: 32 bytes each.

    A line of 64 digits is a SHA-256 or a PDQ hash; nothing in it says which, and nothing has to. It is taken as both:
    that a picture's PDQ hash comes within 31 bits of somebody's SHA-256 by chance has a probability of 2^-120.
    """

    def __init__(self, md5: NDArray[np.uint64], long: NDArray[np.uint64]) -> None:
        """`md5`: shape [n, 2], `long`: shape [m, 4]; big-endian words of the hashes, sorted by the first."""
        self.long = long
        self._md5 = md5
        # Apart, since what is searched must lie side by side.
        self._md5_firsts = np.ascontiguousarray(md5[:, 0])
        self._long_firsts = np.ascontiguousarray(long[:, 0])

    @classmethod
    def read(cls, path: Path) -> HashFile:
        """Raises `KnownListError`."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise KnownListError(f"{path}: cannot be read: {error.strerror or error}") from error
        found: dict[int, list[bytes]] = {_MD5_DIGITS: [], _LONG_DIGITS: []}
        for number, line in enumerate(content.splitlines(), start=1):
            digits = line.split(b"#", 1)[0].strip()
            if not digits:
                continue
            kind = found.get(len(digits))
            if kind is None or not _HEX.fullmatch(digits):
                raise KnownListError(
                    f"{path}, line {number}: expected an MD5 (32 hex digits), SHA-256 or PDQ hash (64), "
                    f"found {digits[:80].decode('ascii', 'replace')!r}"
                )
            kind.append(digits)
        return cls(_packed(found[_MD5_DIGITS], 2), _packed(found[_LONG_DIGITS], 4))

    def __len__(self) -> int:
        return len(self._md5) + len(self.long)

    def has_md5(self, digits: str) -> bool:
        return _contains(self._md5, self._md5_firsts, digits)

    def has_sha256(self, digits: str) -> bool:
        return _contains(self.long, self._long_firsts, digits)


def words_of(digits: str) -> NDArray[np.uint64]:
    """The hash that these hex digits write, as big-endian words of 64 bits."""
    return np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)


def _packed(lines: list[bytes], words: int) -> NDArray[np.uint64]:
    packed = np.frombuffer(bytes.fromhex(b"".join(lines).decode()), ">u8").astype(np.uint64).reshape(-1, words)
    return packed[np.argsort(packed[:, 0], kind="stable")]


def _contains(hashes: NDArray[np.uint64], firsts: NDArray[np.uint64], digits: str) -> bool:
    wanted = words_of(digits)
    start, stop = np.searchsorted(firsts, wanted[:1], "left"), np.searchsorted(firsts, wanted[:1], "right")
    return bool((hashes[int(start[0]) : int(stop[0])] == wanted).all(axis=1).any())
