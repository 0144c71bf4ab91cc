"""One media item whose bytes are there: recognised, looked up, decoded, stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from processors.fetch.decoding import PostDecoder
from processors.fetch.modalities import Fate
from processors.media.decoder import Decoded, DecodedPicture, Undecodable
from processors.media.kinds import kind_of
from processors.media.store import MediaStore
from schemas import FetchedMedia, KnownContent, Media, MediaKind, Picture

T = TypeVar("T")

UNKNOWN_TYPE = "application/octet-stream"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Content:
    """What was found of some bytes, whichever item of the post they came as."""

    kind: MediaKind
    type: str
    md5: str
    known: tuple[KnownContent, ...]
    width: int | None = None
    height: int | None = None
    pictures: tuple[Picture, ...] = ()
    """Stored."""
    made: int = 0
    """Pictures that there were."""
    failed: str | None = None
    partial: str | None = None


class Items:
    """Takes the items of one post through what comes after fetching; the same bytes once."""

    def __init__(self, store: MediaStore, known: Known, decoder: PostDecoder, tenant: str, post_id: str) -> None:
        self._store = store
        self._known = known
        self._decoder = decoder
        self._tenant = tenant
        self._post_id = post_id
        self._seen: dict[str, _Content] = {}

    async def settle(self, media: Media, data: bytes, room: int) -> Settled:
        """Store an item and at most `room` of its pictures, evenly spread. Without room for one it is not decoded.

        `room` never grows from nothing during a post. Items that are not decoded are stored and looked up too: a list
        may know their bytes. Raises `StoreAway`, `DecoderBroken` and `Crowded`.
        """
        sha256 = await self._store.put(self._tenant, self._post_id, data)
        content = self._seen.get(sha256)
        if content is None:
            content = self._seen[sha256] = await self._look(media, data, sha256, room)
        kept = spread(content.pictures, room)
        fetched = FetchedMedia(
            media_id=media.media_id,
            kind=content.kind,
            type=content.type,
            sha256=sha256,
            md5=content.md5,
            bytes=len(data),
            width=content.width,
            height=content.height,
            pictures=kept,
            known=content.known,
        )
        fate = Fate(media.media_id, content.kind, content.failed, _left_out(content, len(kept)))
        return Settled(without_bytes(media, sha256), fate, fetched)

    async def _look(self, media: Media, data: bytes, sha256: str, room: int) -> _Content:
        md5 = await asyncio.to_thread(lambda: hashlib.md5(data, usedforsecurity=False).hexdigest())
        kind, media_type = kind_of(data) or (media.kind, UNKNOWN_TYPE)
        decoded: Decoded | None = None
        failed = partial = None
        if media_type == UNKNOWN_TYPE:
            failed = "its bytes are no picture, video or sound of a known type"
        elif kind != "image":
            failed = f"no processor for {kind} in this release"
        elif room < 1:
            partial = "it is not looked at, since the post has too many pictures"
        else:
            try:
                decoded = await self._decoder.decode(data)
            except Undecodable as error:
                failed = error.reason
        pdqs = [(picture.pdq, picture.pdq_quality) for picture in decoded.pictures] if decoded else []
        known = await asyncio.to_thread(self._known.match, md5=md5, sha256=sha256, pdqs=pdqs)
        found = _Content(kind=kind, type=media_type, md5=md5, known=known, failed=failed, partial=partial)
        if decoded is None:
            return found
        found = replace(found, type=decoded.type, width=decoded.width, height=decoded.height, partial=decoded.partial)
        made, left = len(decoded.pictures), deque(spread(decoded.pictures, room))
        del decoded  # each picture goes once it is stored
        pictures: list[Picture] = []
        while left:
            pictures.append(await self._stored(left.popleft()))
        return replace(found, pictures=tuple(pictures), made=made)

    async def _stored(self, picture: DecodedPicture) -> Picture:
        return Picture(
            object=await self._store.put(self._tenant, self._post_id, picture.data),
            width=picture.width,
            height=picture.height,
            scale=picture.scale,
            origin=picture.origin,
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


def spread(made: Sequence[T], room: int) -> tuple[T, ...]:
    """At most `room` of the pictures: the first, the last, and what is evenly between."""
    if len(made) <= room:
        return tuple(made)
    if room < 2:
        return tuple(made[:room])
    return tuple(made[index * (len(made) - 1) // (room - 1)] for index in range(room))


def _left_out(content: _Content, kept: int) -> str | None:
    reasons = [content.partial] if content.partial else []
    if kept < content.made:
        reasons.append(f"{kept} of its {content.made} pictures are looked at, since the post has too many")
    return ", and ".join(reasons) or None
