"""What a replay is asked: which posts, in words that give the same answer when they are read again. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import msgspec

from processors.canary import place_of
from streams.offsets import Place

_RELATIVE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhdw])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_OFFSETS = re.compile(r"(?P<topic>[A-Za-z0-9._-]{1,249})-(?P<partition>\d{1,6}):(?P<first>\d{1,18})-(?P<end>\d{1,18})")

SALT = "replay"
"""A sample is another choice of posts than a canary's or a shadow's share."""


class QuestionError(Exception):
    """Something asked that makes no sense; the message says what is expected."""


class Stretch(msgspec.Struct, frozen=True):
    """Offsets of a partition, from `first` up to but without `end`."""

    topic: str
    partition: int
    first: int
    end: int

    @property
    def place(self) -> Place:
        return self.topic, self.partition


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which posts. What is None or empty leaves none out; all of it must hold."""

    since_ms: int | None = None
    until_ms: int | None = None
    """By the time of the post's message; `until` is left out itself."""
    stretches: tuple[Stretch, ...] = ()
    tenants: tuple[str, ...] = ()
    post_ids: frozenset[str] = frozenset()
    sample: float = 1.0
    """Share of the post ids, by a hash of the id: the same posts each time, and those of a smaller share are among
    those of a larger one."""

    def has_id(self, post_id: str) -> bool:
        """What can be told from the id alone."""
        return (not self.post_ids or post_id in self.post_ids) and (
            self.sample >= 1.0 or place_of(post_id, SALT) < self.sample
        )

    def has_place(self, place: Place, offset: int, timestamp_ms: int) -> bool:
        """What can be told from where its message lies."""
        if self.since_ms is not None and timestamp_ms < self.since_ms:
            return False
        if self.until_ms is not None and timestamp_ms >= self.until_ms:
            return False
        return not self.stretches or any(
            place == stretch.place and stretch.first <= offset < stretch.end for stretch in self.stretches
        )

    def has_tenant(self, tenant: str) -> bool:
        return not self.tenants or tenant in self.tenants


def moment_ms(text: str, now_ms: int) -> int:
    """Milliseconds since the epoch of an ISO time (UTC where it names no zone), or of so long ago: `90m`, `2h`, `7d`.

    Raises `QuestionError`.
    """
    if (ago := _RELATIVE.fullmatch(text.strip())) is not None:
        return now_ms - round(float(ago[1]) * _UNIT_S[ago[2]] * 1000)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise QuestionError(
            f"{text!r} is no time: expected one such as 2026-11-22T10:00:00Z, or how long ago, such as 90m, 2h or 7d"
        ) from None
    return round((found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp() * 1000)


def stretch_of(text: str, topics: Collection[str]) -> Stretch:
    """`TOPIC-PARTITION:FROM-TO`. Raises `QuestionError`."""
    found = _OFFSETS.fullmatch(text)
    if found is None:
        raise QuestionError(f"{text!r}: expected TOPIC-PARTITION:FROM-TO, such as {next(iter(topics))}-3:1000-2000")
    stretch = Stretch(found["topic"], int(found["partition"]), int(found["first"]), int(found["end"]))
    if stretch.topic not in topics:
        raise QuestionError(f"{stretch.topic} holds no posts: expected {' or '.join(topics)}")
    if stretch.first >= stretch.end:
        raise QuestionError(f"{text}: expected FROM before TO")
    return stretch


def selection_of(
    *,
    since: str | None,
    until: str | None,
    offsets: Iterable[str],
    tenants: Iterable[str],
    post_ids: Collection[str],
    sample: float,
    topics: Collection[str],
    now_ms: int,
) -> Selection:
    """What the words mean now. Raises `QuestionError`."""
    since_ms = moment_ms(since, now_ms) if since is not None else None
    until_ms = moment_ms(until, now_ms) if until is not None else None
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise QuestionError(f"--since {since} is not before --until {until}: expected an earlier time")
    return Selection(
        since_ms=since_ms,
        until_ms=until_ms,
        stretches=tuple(sorted((stretch_of(text, topics) for text in offsets), key=msgspec.structs.astuple)),
        tenants=tuple(sorted(set(tenants))),
        post_ids=frozenset(post_ids),
        sample=sample,
    )
