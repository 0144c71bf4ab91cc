"""Where each media item of a post comes from."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver

from processors.fetch.cloud_source import CloudPlaces, CloudSource
from processors.fetch.faults import Source, Unfetchable, too_large
from processors.fetch.file_source import FileSource
from processors.fetch.http_source import HttpSource
from processors.fetch.options import FetchOptions
from processors.media.layout import is_sha256
from processors.media.store import MediaMissing, MediaStore
from schemas import Media

THREADS = 32
"""Files and objects of buckets that are read at the same time."""


class StoredSource:
    """`store:` and a SHA-256: what the media store has already, of the same tenant."""

    def __init__(self, store: MediaStore, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes

    async def read(self, uri: str, tenant: str, /) -> bytes:
        """Raises `StoreAway` too."""
        sha256 = uri.removeprefix("store:")
        if not is_sha256(sha256):
            raise Unfetchable("its address is not valid, expected store: and 64 digits of lower-case hex")
        try:
            data = await self._store.read(tenant, sha256)
        except MediaMissing:
            raise Unfetchable("it is not in the media store of this tenant") from None
        if len(data) > self._max_bytes:
            raise too_large(self._max_bytes)
        return data


class Sources:
    """All of them, by the scheme of an address. Use it within `opened`."""

    def __init__(self, options: FetchOptions, by_scheme: Mapping[str, Source]) -> None:
        self._options = options
        self._by_scheme = by_scheme

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        options: FetchOptions,
        store: MediaStore,
        clouds: CloudPlaces,
        resolver: AbstractResolver | None = None,
    ) -> AsyncGenerator[Sources]:
        """`clouds`: of the options. Raises ValueError for `allowed_networks` that are none."""
        threads = ThreadPoolExecutor(THREADS, "media-read")
        try:
            cloud = CloudSource(clouds, options.max_bytes, options.fetch_timeout_s, threads)
            async with HttpSource.opened(options, resolver) as http:
                by_scheme: dict[str, Source] = {
                    "https": http,
                    "http": http,
                    "s3": cloud,
                    "gs": cloud,
                    "az": cloud,
                    "file": FileSource(options.file_roots, options.max_bytes, threads),
                    "store": StoredSource(store, options.max_bytes),
                }
                yield cls(options, by_scheme)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    async def read(self, media: Media, tenant: str) -> bytes:
        """The item's bytes, at least one. Raises `Unfetchable`, `RemoteFault`, `StoreAway`."""
        data = await self._read(media, tenant)
        if not data:
            raise Unfetchable("it is empty")
        return data

    async def _read(self, media: Media, tenant: str) -> bytes:
        if media.data is not None:
            limit = self._options.max_inline_bytes
            if len(media.data) > limit:
                raise Unfetchable(f"it holds {len(media.data):,} bytes, more than {limit:,} (media.max_inline_bytes)")
            return media.data
        uri = media.uri or ""
        source = self._by_scheme.get(uri.partition(":")[0])
        if source is None:
            raise Unfetchable("its address has a scheme that is not known")
        return await source.read(uri, tenant)
