"""The fetch stage: what a post's media are, with their bytes in the media store and out of the record."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Self

from aiohttp.abc import AbstractResolver
from msgspec.structs import replace

from processors.contract import Handle, TransientError
from processors.cores import usable_cores
from processors.fetch.addresses import AddressRule
from processors.fetch.cloud_source import CloudPlaces
from processors.fetch.decoding import Decoder, Desk, PostDecoder
from processors.fetch.faults import RemoteFault, Unfetchable
from processors.fetch.items import Items, Known, Settled, unfetched
from processors.fetch.modalities import media_modalities
from processors.fetch.options import POST_TIMEOUTS, FetchOptions
from processors.fetch.patience import Patience
from processors.fetch.sources import Sources
from processors.media.decoder import DecoderBroken, DecoderLimits, DecoderPool, MovingLimits
from processors.media.retention import sweep_hourly
from processors.media.store import MediaStore, StoreAway
from schemas import Cause, FetchSection, Media, Record, Stage

MAX_PICTURES = 32
"""Pictures of one post that are looked at, frames included: more than albums of common platforms hold (10 to 20), and a
bound on what a single post makes later stages do. Every item has one before any has two."""

AT_ONCE = 4
"""Items of one post that are fetched at the same time: one post must not take all the room."""

NOMINAL_BYTES = 256 * 1024
"""What an item that is yet to be fetched counts for: a picture of common size."""

_log = logging.getLogger(__name__)

OpenDecoder = Callable[[FetchOptions], AbstractAsyncContextManager[Decoder]]


class FetchProcessor:
    """Fetches, recognises, decodes and stores the media of posts.

    What a sender's server does wrong is tried again until one of `max_attempts` is left, and then fails the modality.
    What our own store or decoders do wrong is `TransientError` for as long as it takes.
    """

    stage = Stage.FETCH

    def __init__(
        self,
        store: MediaStore,
        known: Known,
        options: FetchOptions,
        *,
        decoder: OpenDecoder | None = None,
        moving: OpenDecoder | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """`decoder`: of pictures, and `moving`: of video and sound; by default a `DecoderPool` each. `resolver`: by
        default the system's.

        Raises ValueError or `StoreError` for `allowed_networks` and `cloud_prefixes` that make no sense, or that the
        environment lacks an account for.
        """
        AddressRule(options.allowed_networks)
        self._clouds = CloudPlaces(options.cloud_prefixes, options.fetch_timeout_s)
        self._store = store
        self._known = known
        self._options = options
        self._decoder = decoder or decoder_pool
        self._moving = moving or moving_pool
        self._resolver = resolver

    @property
    def concurrency(self) -> int:
        return self._options.concurrency

    def cost(self, record: Record, /) -> int:
        """Bytes, as an estimate for those that are yet to be fetched; at least 1."""
        return sum(len(media.data) if media.data else NOMINAL_BYTES for media in record.post.media) or 1

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Handle]:
        """Where records are fetched."""
        async with (
            Sources.opened(self._options, self._store, self._clouds, self._resolver) as sources,
            self._decoder(self._options) as decoder,
            self._moving(self._options) as moving,
            self._swept(),
        ):
            room = asyncio.Semaphore(max(AT_ONCE, self._options.concurrency))
            pictures = Desk(decoder, asyncio.Semaphore(_decoders(self._options)))
            video = Desk(moving, asyncio.Semaphore(_moving_decoders(self._options)))
            work = _Work(self._options, self._store, self._known, sources, pictures, video, room)
            yield work.handle

    @asynccontextmanager
    async def _swept(self) -> AsyncGenerator[None]:
        """Sweeps in the background."""
        if not self._options.retention_days:
            yield
            return
        sweeps = asyncio.create_task(sweep_hourly(self._store, self._options.retention_days))
        try:
            yield
        finally:
            sweeps.cancel()
            with suppress(asyncio.CancelledError):
                await sweeps


@dataclass(frozen=True, slots=True)
class _Work:
    """What the posts of a session share."""

    options: FetchOptions
    store: MediaStore
    known: Known
    sources: Sources
    pictures: Desk
    moving: Desk
    room: asyncio.Semaphore
    """For items whose bytes are on their way, or here and not yet settled."""

    async def handle(self, record: Record) -> Record:
        """The record with its `fetch` section, modalities and route; raises `TransientError`."""
        try:
            if record.deleted:
                await self.store.forget(record.post.post_id)
                return record
            return _fixed(record, await self._settle_all(record), self.options.long_seconds)
        except StoreAway as error:
            raise TransientError(Cause.TRANSIENT, str(error)) from error
        except DecoderBroken as error:
            raise TransientError(Cause.TRANSIENT, f"media could not be decoded: {error}") from error

    async def _settle_all(self, record: Record) -> list[Settled]:
        """The post's items, fetched side by side and settled in order: what is kept of one depends on those before it,
        never on which was faster, and a post has one decoder at most."""
        patience = Patience(self.options)
        final = self._is_final(record)
        decoder = PostDecoder(self.pictures, self.moving, patience, self.options.decode_timeout_s, final)
        post = record.post
        items = Items(self.store, self.known, decoder, post.tenant, post.post_id, self.options.max_seconds)
        to_come = deque(record.post.media)
        under_way: deque[tuple[Media, asyncio.Task[bytes]]] = deque()
        settled: list[Settled] = []
        left = MAX_PICTURES
        with _Places(self.room, patience) as places:
            try:
                while to_come or under_way:
                    while to_come and len(under_way) < AT_ONCE:
                        media = to_come.popleft()
                        fetching = self._fetch(media, record.post.tenant, patience, places)
                        under_way.append((media, asyncio.create_task(fetching)))
                    media, task = under_way.popleft()
                    after = len(under_way) + len(to_come)
                    found = await self._settle(items, media, task, max(min(1, left), left - after), final)
                    places.leave()
                    left -= len(found.fetched.pictures) if found.fetched else 0
                    settled.append(found)
            finally:
                for _, task in under_way:
                    task.cancel()
                await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
        return settled

    async def _fetch(self, media: Media, tenant: str, patience: Patience, places: _Places) -> bytes:
        limit_s = self.options.fetch_timeout_s
        await places.take(limit_s)
        with patience.fetching() as deadline_s:
            end_s = asyncio.get_running_loop().time() + limit_s
            try:
                async with asyncio.timeout_at(min(end_s, deadline_s)):
                    return await self.sources.read(media, tenant)
            except TimeoutError:
                if end_s <= deadline_s:
                    raise RemoteFault(f"it took longer than {limit_s:g} s (media.fetch_timeout_s)") from None
                raise RemoteFault(f"the post's media together took longer than {POST_TIMEOUTS * limit_s:g} s") from None

    async def _settle(
        self, items: Items, media: Media, fetching: asyncio.Task[bytes], pictures: int, final: bool
    ) -> Settled:
        try:
            return await items.settle(media, await _come(fetching), pictures)
        except Unfetchable as error:
            return unfetched(media, str(error))
        except RemoteFault as error:
            if not final:
                raise TransientError(Cause.TRANSIENT, f"{media.media_id}: {error}") from error
            return unfetched(media, str(error))

    def _is_final(self, record: Record) -> bool:
        """Whether remote faults end here. One try is left over: a later stage may need it for a fault of ours, and must
        not find that somebody's dead server has used it up."""
        return record.attempt >= self.options.max_attempts


async def _come(fetching: asyncio.Task[bytes]) -> bytes:
    """The bytes. An address that a library trips over is its sender's fault, and never a failure of ours: senders could
    stop workers with it."""
    try:
        return await fetching
    except ValueError as error:
        _log.warning("an address of media made its source fail: %s", type(error).__name__)
        raise Unfetchable("its address is not valid") from None


class _Places:
    """The places that one post holds in the room of all; what it still holds at the end is given back."""

    def __init__(self, room: asyncio.Semaphore, patience: Patience) -> None:
        self._room = room
        self._patience = patience
        self._held = 0

    async def take(self, then_s: float) -> None:
        """For what takes `then_s` at most. Raises `Crowded`."""
        await self._patience.turn(self._room, then_s)
        self._held += 1

    def leave(self) -> None:
        self._held -= 1
        self._room.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._held:
            self.leave()


def decoder_pool(options: FetchOptions) -> DecoderPool:
    """The decoders of pictures that the options ask for."""
    return DecoderPool(_limits(options), _decoders(options))


def moving_pool(options: FetchOptions) -> DecoderPool:
    """The decoders of video and sound that the options ask for."""
    moving = MovingLimits(
        max_seconds=options.max_seconds, video_frames=options.video_frames, frame_gap_s=options.frame_gap_s
    )
    return DecoderPool(dataclasses.replace(_limits(options), moving=moving), _moving_decoders(options))


def _limits(options: FetchOptions) -> DecoderLimits:
    return DecoderLimits(
        max_pixels=options.max_pixels,
        picture_side=options.picture_side,
        max_frames=options.max_frames,
        timeout_s=options.decode_timeout_s,
        memory_mb=options.decode_memory_mb,
    )


def _decoders(options: FetchOptions) -> int:
    return options.decoders or usable_cores()


def _moving_decoders(options: FetchOptions) -> int:
    """Half as many: videos take a core for seconds, and must not take all of them from pictures."""
    return max(1, _decoders(options) // 2)


def _fixed(record: Record, settled: list[Settled], long_seconds: float) -> Record:
    """The record with what was found of its media. Without a picture there is nothing to read for `ocr`, without sound
    nothing to hear for `asr`."""
    fetched = tuple(item.fetched for item in settled if item.fetched is not None)
    idle = set[Stage]()
    if not any(item.pictures for item in fetched):
        idle.add(Stage.OCR)
    if not any(item.sound for item in fetched):
        idle.add(Stage.ASR)
    return replace(
        record,
        post=replace(record.post, media=tuple(item.media for item in settled)),
        fetch=FetchSection(media=fetched),
        long=sum(item.seconds or 0.0 for item in fetched) > long_seconds,
        route=tuple(stage for stage in record.route if stage not in idle),
        modalities=media_modalities(record.modalities, [item.fate for item in settled]),
    )
