"""The content-addressed store of media: written once, verified on every read, gone with the last post that needs it.

`processors.media.layout` says where things are, `processors.media.references` what holds when writers and removals
meet.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from processors.media.backend import Backend, StoreAway, StoreError
from processors.media.layout import HOUR_S, ObjectKey, Reference, key_of, object_key
from processors.media.references import References
from processors.media.retention import Swept, settle_graves, shards, sweep_shard

__all__ = ["MediaDamaged", "MediaMissing", "MediaStore", "StoreAway", "StoreError", "Swept"]

THREADS = 16
"""Requests to the store at the same time. They wait for a disk or a server more than they compute."""

P = ParamSpec("P")
R = TypeVar("R")


class MediaMissing(Exception):
    """There is no such object of this tenant: retention or a deletion took it, or it never was."""


class MediaDamaged(MediaMissing):
    """What lies under an address is not what was stored there; as good as missing."""


class MediaStore:
    """Objects by their SHA-256, apart for each tenant, with a reference from each post that needs them.

    May be used from several threads and event loops at once, and by several processes on one folder or bucket.
    """

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.time) -> None:
        self._backend = backend
        self._references = References(backend)
        self._clock = clock
        # Threads of its own: others' slow look-ups and files must not keep it waiting.
        self._threads = ThreadPoolExecutor(THREADS, "media-store")

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], float] = time.time) -> MediaStore:
        """A folder, `file://`, `s3://`, `gs://` or `az://`; nothing is made or asked before the first use.

        `clock`: seconds since the epoch. Raises `StoreError`.
        """
        return cls(Backend.at(url), clock)

    async def put(self, tenant: str, post_id: str, data: bytes) -> str:
        """Store bytes that a post needs, and give their SHA-256 in hex. Raises `StoreAway`.

        A second time is no fault, and lets the post's reference begin anew. An object that is there already is read
        and compared, and written again if it is damaged: a disk's fault ends with the next post that brings the bytes.
        Where the same post is forgotten at the same time, either may win, or the object be left without a reference
        until the next sweep.
        """
        return await self._in_thread(self._put, tenant, post_id, data)

    async def read(self, tenant: str, sha256: str) -> bytes:
        """As `get`, without blocking."""
        return await self._in_thread(self.get, tenant, sha256)

    def get(self, tenant: str, sha256: str) -> bytes:
        """The bytes, which have that SHA-256.

        Raises `MediaMissing` (also where it is damaged), `StoreAway`, and ValueError for what is no SHA-256 in hex.
        What is damaged stays where it is: a fault on the way here looks the same, and only `put` has the right bytes.
        """
        data = self._backend.read(object_key(tenant, sha256).path)
        if data is None:
            raise MediaMissing(f"no object {sha256} of this tenant in the media store")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise MediaDamaged(f"object {sha256} of the media store is damaged: it has another SHA-256")
        return data

    async def forget(self, post_id: str) -> int:
        """Remove a post's references and the objects that nobody else needs; how many objects went.

        Raises `StoreAway`, having done a part of it; called again, it does the rest.
        """
        return await self._in_thread(self._forget, post_id)

    async def sweep(self, older_than_s: float, now_s: float) -> Swept:
        """Remove references older than that, and every object without one. Raises `StoreAway`, having done a part.

        Several sweeps at a time do no harm. Cancelled, it ends after the folder that it is in.
        """
        swept = Swept()
        for shard in await self._in_thread(shards, self._backend):
            swept += await self._in_thread(
                sweep_shard, self._backend, self._references, shard, older_than_s=older_than_s, now_s=now_s
            )
        return swept + await self._in_thread(settle_graves, self._backend, self._references, now_s)

    def _put(self, tenant: str, post_id: str, data: bytes) -> str:
        key = object_key(tenant, hashlib.sha256(data).hexdigest())
        self._references.note(Reference(key, key_of(post_id), int(self._clock()) // HOUR_S))
        # Other bytes: a machine went down while it wrote, or a disk has lost some. None: just being removed. Reading
        # them costs no more than sending them did, which `create` does in any case.
        if not self._backend.create(key.path, data) and self._backend.read(key.path) != data:
            self._backend.write(key.path, data)
        return key.sha256

    def _forget(self, post_id: str) -> int:
        # Dropping the marker at the post comes last for each object, so that a second try still finds it.
        by_object: dict[ObjectKey, list[Reference]] = {}
        for reference in self._references.of_post(key_of(post_id)):
            by_object.setdefault(reference.object, []).append(reference)
        gone = 0
        for key, references in by_object.items():
            for reference in references:
                self._backend.delete_with_folder(reference.at_object)
            gone += self._references.retire(key)
            for reference in references:
                self._backend.delete_with_folder(reference.at_post)
        return gone

    async def _in_thread(self, do: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: do(*args, **kwargs))
