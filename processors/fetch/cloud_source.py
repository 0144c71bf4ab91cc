"""Media in buckets, read with our credentials and therefore only below the prefixes that the operator names."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from processors.fetch.body import Body
from processors.fetch.faults import RemoteFault, Unfetchable, too_large
from processors.media.backend import CLOUDS, open_bucket

if TYPE_CHECKING:
    from obstore.store import ObjectStore

READ_BYTES = 1024 * 1024

_BUCKET = re.compile(r"[A-Za-z0-9._$-]+")
"""What any of the clouds allows in names of buckets and containers."""


@dataclass(frozen=True, slots=True)
class CloudAddress:
    """`s3://bucket/some/key`, taken apart. Keys are taken as they are written: nothing in them is decoded."""

    scheme: str
    bucket: str
    parts: tuple[str, ...]

    @classmethod
    def of(cls, uri: str) -> Self:
        """Raises ValueError where a key could mean another than it says (`..`, `.`, empty parts)."""
        scheme, found, rest = uri.partition("://")
        bucket, *parts = rest.split("/")
        if not found or scheme not in CLOUDS or not _BUCKET.fullmatch(bucket):
            raise ValueError("expected as in s3://bucket/folder/")
        if any(part in ("", ".", "..") for part in parts):
            raise ValueError("parts of its path are empty, `.` or `..`")
        return cls(scheme, bucket, tuple(parts))

    @classmethod
    def of_prefix(cls, uri: str) -> Self:
        """One of `media.cloud_prefixes`, with a slash at its end or without. Raises ValueError."""
        return cls.of(uri.removesuffix("/"))

    @property
    def home(self) -> str:
        return f"{self.scheme}://{self.bucket}"

    def below(self, prefix: CloudAddress) -> bool:
        length = len(prefix.parts)
        return self.home == prefix.home and self.parts[:length] == prefix.parts and len(self.parts) > length


class CloudPlaces:
    """The buckets that may be read, and below which prefixes. Endpoints and credentials are the environment's, as for
    the store; nobody is asked anything yet."""

    def __init__(self, prefixes: Sequence[str], patience_s: float) -> None:
        """Raises ValueError or `StoreError` for a prefix that makes no sense, or that the environment lacks an account
        for."""
        self._prefixes = tuple(_prefix(prefix) for prefix in prefixes)
        self._buckets: dict[str, ObjectStore] = {
            prefix.home: open_bucket(prefix.home, timedelta(seconds=patience_s)) for prefix in self._prefixes
        }

    def bucket(self, address: CloudAddress) -> ObjectStore | None:
        """None for what is not below a prefix."""
        allowed = any(address.below(prefix) for prefix in self._prefixes)
        return self._buckets[address.home] if allowed else None


class CloudSource:
    """`s3://`, `gs://` and `az://` addresses."""

    def __init__(self, places: CloudPlaces, max_bytes: int, timeout_s: float, threads: Executor) -> None:
        self._places = places
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._threads = threads

    async def read(self, uri: str, _tenant: str, /) -> bytes:
        try:
            address = CloudAddress.of(uri)
        except ValueError as error:
            raise Unfetchable(f"its address is not valid: {error}") from None
        bucket = self._places.bucket(address)
        if bucket is None:
            raise Unfetchable("its address is not below one of media.cloud_prefixes")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, bucket, address)

    def _read(self, bucket: ObjectStore, address: CloudAddress) -> bytes:
        # A thread cannot be cancelled: it gives up by itself.
        end_s = time.monotonic() + self._timeout_s
        try:
            found = obstore.get(bucket, "/".join(address.parts))
            if found.meta["size"] > self._max_bytes:
                raise too_large(self._max_bytes)
            body = Body(self._max_bytes)
            for chunk in found.stream(READ_BYTES):
                body.add(memoryview(chunk))
                if time.monotonic() > end_s:
                    raise RemoteFault(f"{address.home} was too slow")
            return body.whole()
        except FileNotFoundError:
            raise Unfetchable(f"it is not in {address.home}") from None
        except (PermissionDeniedError, UnauthenticatedError, PermissionError):
            raise Unfetchable(f"{address.home} does not let us read it") from None
        except ValueError:
            raise Unfetchable("its address is not valid") from None
        except (BaseError, OSError):  # their messages hold addresses, and what is in them is not for everybody
            raise RemoteFault(f"{address.home} cannot be read from") from None


def _prefix(uri: str) -> CloudAddress:
    try:
        return CloudAddress.of_prefix(uri)
    except ValueError as error:
        raise ValueError(f"media.cloud_prefixes: {uri!r}: {error}") from None
