"""One media item whose bytes are there: recognised, looked up, decoded, stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from processors.fetch.modalities import Fate
from processors.media.decoder import Decoded, DecodedPicture, Undecodable
from processors.media.kinds import kind_of
from processors.media.store import MediaStore
from schemas import FetchedMedia, KnownContent, Media, Picture

UNKNOWN_TYPE = "application/octet-stream"


class Decoder(Protocol):
    """What `DecoderPool` does."""

    async def decode(self, data: bytes, /) -> Decoded: ...


class Known(Protocol):
    """What `KnownLists` does."""

    def match(self, *, md5: str, sha256: str, pdqs: Sequence[tuple[str, int]]) -> tuple[KnownContent, ...]: ...


@dataclass(frozen=True, slots=True)
class Settled:
    """An item as the record goes on with it."""

    media: Media
    fate: Fate
    fetched: FetchedMedia | None = None
    """None where there are no bytes."""


class Items:
    """Takes items through what comes after fetching."""

    def __init__(self, store: MediaStore, known: Known, decoder: Decoder) -> None:
        self._store = store
        self._known = known
        self._decoder = decoder

    async def settle(self, tenant: str, post_id: str, media: Media, data: bytes, pictures: int) -> Settled:
        """Store an item and at most `pictures` of its pictures, evenly spread.

        Items that cannot be decoded are stored and looked up too: a list may know them.
        Raises `StoreAway` and `DecoderBroken`.
        """
        sha256 = await self._store.put(tenant, post_id, data)
        md5 = await asyncio.to_thread(lambda: hashlib.md5(data, usedforsecurity=False).hexdigest())
        kind, media_type = kind_of(data) or (media.kind, UNKNOWN_TYPE)
        decoded: Decoded | None = None
        failed: str | None = None
        if media_type == UNKNOWN_TYPE:
            failed = "its bytes are no picture, video or sound of a known type"
        elif kind != "image":
            failed = f"no processor for {kind} in this release"
        else:
            try:
                decoded = await self._decoder.decode(data)
            except Undecodable as error:
                failed = error.reason
        made = decoded.pictures if decoded else ()
        pdqs = [(picture.pdq, picture.pdq_quality) for picture in made]
        matches = await asyncio.to_thread(self._known.match, md5=md5, sha256=sha256, pdqs=pdqs)
        kept = spread(made, pictures)
        fetched = FetchedMedia(
            media_id=media.media_id,
            kind=kind,
            type=decoded.type if decoded else media_type,
            sha256=sha256,
            md5=md5,
            bytes=len(data),
            width=decoded.width if decoded else None,
            height=decoded.height if decoded else None,
            pictures=tuple([await self._stored(tenant, post_id, picture) for picture in kept]),
            known=matches,
        )
        fate = Fate(media.media_id, kind, failed, _left_out(decoded, len(kept)))
        return Settled(without_bytes(media, sha256), fate, fetched)

    async def _stored(self, tenant: str, post_id: str, picture: DecodedPicture) -> Picture:
        return Picture(
            object=await self._store.put(tenant, post_id, picture.data),
            width=picture.width,
            height=picture.height,
            scale=picture.scale,
            t=picture.t,
            pdq=picture.pdq,
            pdq_quality=picture.pdq_quality,
        )


def unfetched(media: Media, reason: str) -> Settled:
    """An item of which there are no bytes, or more than may be."""
    stripped = media if media.data is None else without_bytes(media, hashlib.sha256(media.data).hexdigest())
    return Settled(stripped, Fate(media.media_id, media.kind, failed=reason))


def without_bytes(media: Media, sha256: str) -> Media:
    """The item with its bytes' address in their place: they do not travel on."""
    return media if media.data is None else Media(media_id=media.media_id, kind=media.kind, uri=f"store:{sha256}")


def spread(made: Sequence[DecodedPicture], room: int) -> tuple[DecodedPicture, ...]:
    """At most `room` of the pictures: the first, the last, and what is evenly between."""
    if len(made) <= room:
        return tuple(made)
    if room < 2:
        return tuple(made[:room])
    return tuple(made[index * (len(made) - 1) // (room - 1)] for index in range(room))


def _left_out(decoded: Decoded | None, kept: int) -> str | None:
    if decoded is None:
        return None
    reasons = [decoded.partial] if decoded.partial else []
    if kept < len(decoded.pictures):
        reasons.append(f"{kept} of its {len(decoded.pictures)} pictures are looked at, since the post has too many")
    return ", and ".join(reasons) or None
