"""The media of a decided post, for people who look at them: found in the store, decoded again in processes that are
killed where they go over their limits. No byte that a sender chose leaves here."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from processors.media.backend import Backend, StoreAway
from processors.media.decoder import (
    Decoded,
    DecoderBroken,
    DecoderLimits,
    DecoderPool,
    MovingLimits,
    Undecodable,
)
from processors.media.layout import is_sha256, key_of
from processors.media.references import References
from processors.media.store import MediaMissing, MediaStore
from schemas import Media, Post
from streams.settings import Settings

DECODERS = 2
"""Processes: a person looks at one post at a time, and workers on this machine need their cores."""

MAX_OBJECTS = 160
"""Of one post that are looked through for what was fetched: more than the pictures and sounds of any ordinary post."""

MAX_DECODED = 40
"""Of these that are decoded for it: an album's items, and the frames of those that retention has taken."""

JPEG_MAGIC = b"\xff\xd8\xff"

UNKNOWN_ITEM = "it was fetched, and the store does not say which of the post's objects it is"
GONE = "it is not in the media store (any more): retention or a deletion took it, or it was never fetched"


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture or a sound, safe to be looked at."""

    data: bytes
    type: str
    """`image/png`, `image/jpeg` or `audio/wav`."""
    t: float | None = None
    """A frame's time, or a sound's first sample, in seconds from the start of the item."""
    width: int | None = None
    height: int | None = None
    """In its own pixels."""
    scale: float = 1.0
    """Pixels of the upright original per pixel of this."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Where its top left corner is, in pixels of the upright original."""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """One media item of a post, and what of it can be shown."""

    media_id: str | None
    """None for an object of the post of which nobody knows which item it was."""
    kind: str
    type: str | None = None
    sha256: str | None = None
    """Of the bytes as fetched."""
    width: int | None = None
    height: int | None = None
    """Of the upright original, in pixels."""
    seconds: float | None = None
    pictures: tuple[Shown, ...] = ()
    sound: Shown | None = None
    why_not: str | None = None
    """Why nothing, or not all of it, is shown."""


class MediaObjects:
    """The media of posts. An asynchronous context manager, used by one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Raises `StoreError`."""
        backend = Backend.at(settings.store.url)
        self._store = MediaStore(backend)
        self._references = References(backend)
        media = settings.media
        limits = DecoderLimits(
            max_pixels=media.max_pixels,
            picture_side=media.picture_side,
            max_frames=media.max_frames,
            timeout_s=media.decode_timeout_s,
            memory_mb=media.decode_memory_mb,
            moving=MovingLimits(
                max_seconds=media.max_seconds, video_frames=media.video_frames, frame_gap_s=media.frame_gap_s
            ),
        )
        self._pool = DecoderPool(limits, DECODERS)

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, trace)

    async def of_post(self, post: Post) -> list[ShownItem]:
        """What can be shown of each item of a post, in its order; then objects that are some item's, and nobody knows
        whose. What cannot be had says why, and nothing is raised."""
        known = {item.media_id: sha256 for item in post.media if (sha256 := address_of(item)) is not None}
        items = {item.media_id: ShownItem(item.media_id, item.kind, why_not=UNKNOWN_ITEM) for item in post.media}
        try:
            for item in post.media:
                if item.media_id in known:
                    items[item.media_id] = await self._item(post.tenant, item, known[item.media_id])
            rest = [item for item in post.media if item.media_id not in known]
            originals = await self._fetched(post, [items[name] for name in known]) if rest else []
        except StoreAway:
            return [replace(item, why_not="the media store is away") for item in items.values()]
        if len(rest) == 1 and len(originals) == 1:
            name = rest[0].media_id
            items[name] = replace(originals[0], media_id=name)
            originals = []
        elif not originals:
            items |= {item.media_id: replace(items[item.media_id], why_not=GONE) for item in rest}
        return [*items.values(), *originals]

    async def _item(self, tenant: str, item: Media, sha256: str) -> ShownItem:
        return replace(await self._shown(tenant, sha256, item.kind), media_id=item.media_id)

    async def _shown(self, tenant: str, sha256: str, kind: str) -> ShownItem:
        empty = ShownItem(None, kind, sha256=sha256)
        try:
            data = await self._store.read(tenant, sha256)
        except MediaMissing:
            return replace(empty, why_not=GONE)
        try:
            return shown(await self._pool.decode(data), sha256)
        except Undecodable as error:
            return replace(empty, why_not=error.reason)
        except DecoderBroken:
            return replace(empty, why_not="no decoder could be started")

    async def _fetched(self, post: Post, known: Sequence[ShownItem]) -> list[ShownItem]:
        """The objects of a post that were fetched: those that decoding others of them does not give."""
        references = await asyncio.to_thread(self._references.of_post, key_of(post.post_id))
        tenant = key_of(post.tenant)
        left = sorted({found.object.sha256 for found in references if found.object.tenant == tenant})[:MAX_OBJECTS]
        made = set[str]().union(*(_made_of(item) for item in known)) | {item.sha256 for item in known}
        found: dict[str, ShownItem] = {}
        for sha256 in left:
            if sha256 in made or len(found) >= MAX_DECODED:
                continue
            item = await self._shown(post.tenant, sha256, "image")
            found[sha256] = item
            made |= _made_of(item) - {sha256}
        return [item for sha256, item in found.items() if sha256 not in made]


def shown(decoded: Decoded, sha256: str) -> ShownItem:
    """What an item shows and what it sounds like."""
    gaps = [gap.reason for gap in (decoded.picture_gap, decoded.sound_gap) if gap is not None]
    return ShownItem(
        None,
        decoded.kind,
        type=decoded.type,
        sha256=sha256,
        width=decoded.width,
        height=decoded.height,
        seconds=decoded.seconds,
        pictures=tuple(
            Shown(
                one.data,
                "image/jpeg" if one.data.startswith(JPEG_MAGIC) else "image/png",
                t=one.t,
                width=one.width,
                height=one.height,
                scale=one.scale,
                origin=one.origin,
            )
            for one in decoded.pictures
        ),
        sound=Shown(decoded.sound.data, "audio/wav", t=decoded.sound.t) if decoded.sound is not None else None,
        why_not="; ".join(gaps) or None,
    )


def address_of(item: Media) -> str | None:
    """The SHA-256 of an item's bytes, where the post itself says which these are."""
    if item.data is not None:
        return hashlib.sha256(item.data).hexdigest()
    named = (item.uri or "").removeprefix("store:")
    return named if is_sha256(named) else None


def _made_of(item: ShownItem) -> set[str]:
    parts = [*item.pictures, *([item.sound] if item.sound is not None else [])]
    return {hashlib.sha256(part.data).hexdigest() for part in parts}
