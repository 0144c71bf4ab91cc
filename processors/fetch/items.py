"""One media item whose bytes are there: recognised, looked up, decoded, stored."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from processors.fetch.decoding import PostDecoder
from processors.fetch.modalities import Fate, Part
from processors.media.decoder import Decoded, DecodedPicture, Gap, Undecodable
from processors.media.kinds import kind_of
from processors.media.store import MediaStore
from processors.media.wav import RATE, samples_of, wav_of
from schemas import FetchedMedia, KnownContent, Media, MediaKind, Picture, Sound

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
    seconds: float | None = None
    pictures: tuple[Picture, ...] = ()
    """Stored."""
    made: int = 0
    """Pictures that there were."""
    sound: Sound | None = None
    """Stored."""
    picture_part: Part | None = None
    sound_part: Part | None = None


class Items:
    """Takes the items of one post through what comes after fetching; the same bytes once."""

    def __init__(
        self,
        store: MediaStore,
        known: Known,
        decoder: PostDecoder,
        tenant: str,
        post_id: str,
        max_seconds: float,
    ) -> None:
        """`max_seconds`: of sound that are kept of all items together."""
        self._store = store
        self._known = known
        self._decoder = decoder
        self._tenant = tenant
        self._post_id = post_id
        self._seconds_left = max_seconds
        self._seen: dict[str, _Content] = {}

    async def settle(self, media: Media, data: bytes, room: int) -> Settled:
        """Store an item, at most `room` of its pictures, evenly spread, and its sound. A picture that there is no room
        for is not decoded.

        `room` never grows from nothing during a post. Items that are not decoded are stored and looked up too: a list
        may know their bytes. Raises `StoreAway`, `DecoderBroken` and `Crowded`.
        """
        sha256 = await self._store.put(self._tenant, self._post_id, data)
        content = self._seen.get(sha256)
        if content is None:
            content = await self._look(media, data, sha256, room)
            self._seen[sha256] = replace(content, sound=None)  # the same sound again says nothing new
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
            seconds=content.seconds,
            pictures=kept,
            sound=content.sound,
            known=content.known,
        )
        fate = Fate(media.media_id, _looked_at(content, len(kept)), content.sound_part)
        return Settled(without_bytes(media, sha256), fate, fetched)

    async def _look(self, media: Media, data: bytes, sha256: str, room: int) -> _Content:
        md5 = await asyncio.to_thread(lambda: hashlib.md5(data, usedforsecurity=False).hexdigest())
        kind, media_type = kind_of(data) or (media.kind, UNKNOWN_TYPE)
        decoded: Decoded | None = None
        gap: Gap | None = None
        if media_type == UNKNOWN_TYPE:
            gap = Gap(reason="its bytes are no picture, video or sound of a known type", failed=True)
        elif kind == "image" and room < 1:
            gap = Gap(reason="it is not looked at, since the post has too many pictures")
        else:
            try:
                decoded = await self._decoder.decode(data, kind)
            except Undecodable as error:
                gap = Gap(reason=error.reason, failed=True)
        pdqs = [(picture.pdq, picture.pdq_quality) for picture in decoded.pictures] if decoded else []
        known = await asyncio.to_thread(self._known.match, md5=md5, sha256=sha256, pdqs=pdqs)
        if decoded is None:
            parts = Fate.alike(media.media_id, kind, gap)
            return _Content(
                kind=kind, type=media_type, md5=md5, known=known, picture_part=parts.pictures, sound_part=parts.sound
            )
        return await self._kept(decoded, md5, known, room)

    async def _kept(self, decoded: Decoded, md5: str, known: tuple[KnownContent, ...], room: int) -> _Content:
        """What of a decoded item is stored."""
        sound, sound_gap = await self._stored_sound(decoded)
        has_pictures = decoded.kind != "audio" or decoded.pictures or decoded.picture_gap
        found = _Content(
            kind=decoded.kind,
            type=decoded.type,
            md5=md5,
            known=known,
            width=decoded.width,
            height=decoded.height,
            seconds=decoded.seconds,
            made=len(decoded.pictures),
            sound=sound,
            picture_part=Part(decoded.picture_gap) if has_pictures else None,
            sound_part=Part(sound_gap) if decoded.sound or decoded.sound_gap else None,
        )
        left = deque(spread(decoded.pictures, room))
        del decoded  # each picture goes once it is stored
        pictures: list[Picture] = []
        while left:
            pictures.append(await self._stored(left.popleft()))
        return replace(found, pictures=tuple(pictures))

    async def _stored_sound(self, decoded: Decoded) -> tuple[Sound | None, Gap | None]:
        """As much of the sound as the post may have, and what is missing of it."""
        sound, gap = decoded.sound, decoded.sound_gap
        if sound is None:
            return None, gap
        data, seconds = sound.data, sound.seconds
        if seconds > self._seconds_left:
            seconds = math.floor(self._seconds_left)
            heard = f"only its first {seconds} s are listened to" if seconds else "it is not listened to"
            gap = Gap(reason=f"{gap.reason + ', and ' if gap else ''}{heard}, since the post's sounds are too long")
            if not seconds:
                return None, gap
            data = await asyncio.to_thread(lambda: wav_of(samples_of(sound.data)[: seconds * RATE]))
        self._seconds_left -= seconds
        stored = await self._store.put(self._tenant, self._post_id, data)
        return Sound(object=stored, seconds=float(seconds), t=sound.t), gap

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
    return Settled(stripped, Fate.alike(media.media_id, media.kind, Gap(reason=reason, failed=True)))


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


def _looked_at(content: _Content, kept: int) -> Part | None:
    """What there is to look at, of which so many pictures are kept."""
    part = content.picture_part
    if part is None or kept == content.made:
        return part
    told = [part.gap.reason] if part.gap else []
    told.append(f"{kept} of its {content.made} pictures are looked at, since the post has too many")
    return Part(Gap(reason=", and ".join(told)))
