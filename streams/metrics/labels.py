"""Label values from outside are bounded: each new one is a series that lives as long as the process.

Who sends posts must not be able to make the worker or its Prometheus grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

OTHER = "other"
"""Stands for every value that is not listed."""
NONE = "none"
"""Stands for no value; an empty label would be the same as no label."""

MAX_CODES = 64
"""More distinct codes than our own code and policies name; past it, somebody's text is taken for a code."""

_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,47}")


class AllowList:
    """Maps what is not listed to `other`."""

    __slots__ = ("_listed",)

    def __init__(self, listed: Iterable[str]) -> None:
        self._listed = frozenset(listed) - {""}

    def __call__(self, value: str | None) -> str:
        if not value:
            return NONE
        return value if value in self._listed else OTHER


class Codes:
    """For stable codes that are not known beforehand: whatever is written like one, up to a number of them."""

    __slots__ = ("_most", "_seen")

    def __init__(self, most: int = MAX_CODES) -> None:
        self._seen: set[str] = set()
        self._most = most

    def __call__(self, value: str | None) -> str:
        if not value:
            return NONE
        if value in self._seen:
            return value
        if len(self._seen) >= self._most or _CODE.fullmatch(value) is None:
            return OTHER
        self._seen.add(value)
        return value
