"""The ways in which a media item cannot be got. Their messages go to the post's decision: they name hosts, settings
and limits, never credentials, paths or queries of addresses, nor what a name of ours stands for."""

from __future__ import annotations

from typing import Protocol


class Unfetchable(Exception):
    """The item's own fault, or against our rules: trying again would not help."""


class RemoteFault(Exception):
    """A server, a network or a name server does not do its part, now."""


class Crowded(RemoteFault):
    """Other posts' media took all the time: as little a fault of ours, since their senders can bring it about."""


class Source(Protocol):
    """Where the media of one kind of address are."""

    async def read(self, uri: str, tenant: str, /) -> bytes:
        """All bytes, at most as many as the options allow. Raises `Unfetchable` and `RemoteFault`; may be cancelled."""
        ...


def too_large(limit: int) -> Unfetchable:
    return Unfetchable(f"it is larger than {limit:,} bytes (media.max_bytes)")
