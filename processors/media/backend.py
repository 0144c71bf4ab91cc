"""The typed boundary to obstore: folders and buckets as one flat space of paths.

Everything here blocks and may be called from several threads. obstore's own asynchronous calls are not used: their
threads outlive the event loop, and abort a process that ends soon after one of them (SIGABRT, seen one time in ten).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

CLOUDS = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
"""By the scheme of their addresses. Credentials, endpoints and the rest come from the environment."""

TRIES_FOR_S = 10.0
"""How long a request to a bucket is repeated. obstore's own three minutes would hold a message for longer than its
retry topic does, which is the better place to wait."""

MAX_SAID_CHARS = 200

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_QUERY = re.compile(r"\?[^\s\"']*")
_LIST_CHUNK = 1_000
"""Entries that a listing takes from a bucket at once: the most that S3 gives."""


class StoreError(Exception):
    """The address of a store makes no sense; the message says why."""


class StoreAway(Exception):
    """The store cannot be reached or answers with an error, now."""


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    size: int
    """In bytes."""
    modified_s: float
    """Seconds since the epoch."""


class Backend:
    """Paths to bytes. All methods raise `StoreAway`."""

    def __init__(self, name: str, connect: Callable[[], ObjectStore], folder: Path | None = None) -> None:
        """`connect` is called once, when the store is first used. `folder`: where it is, if that is what it is."""
        self.name = name
        self._connect = connect
        self._folder = folder
        self._connected: ObjectStore | None = None
        self._lock = Lock()

    @classmethod
    def at(cls, url: str) -> Self:
        """A folder (or `file://`), which is made when it is first used, or `s3://`, `gs://`, `az://`.

        Raises `StoreError`.
        """
        found = _SCHEME.match(url)
        scheme = found[1].lower() if found else None
        if scheme in CLOUDS:
            store = open_bucket(url, timedelta(seconds=TRIES_FOR_S))
            return cls(url, lambda: store)
        if scheme not in (None, "file"):
            raise StoreError(f"store {url!r}: expected a folder, or an address with s3://, gs:// or az://")
        if scheme == "file" and urlsplit(url).netloc not in ("", "localhost"):
            raise StoreError(f"store {url!r}: expected three slashes, as in file:///var/lib/modstream")
        folder = Path(unquote(urlsplit(url).path) if scheme else url).expanduser().absolute()
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"store {url!r}: expected a folder, found a file")
        return cls(url, lambda: LocalStore(prefix=folder, mkdir=True), folder)

    def create(self, path: str, data: bytes) -> bool:
        """Write what is not there yet, whole or not at all; False if it is there."""
        with self._faults("write"):
            try:
                obstore.put(self._store, path, data, mode="create")
            except AlreadyExistsError:
                return False
            return True

    def write(self, path: str, data: bytes) -> None:
        """Write, whole or not at all, over what may be there."""
        with self._faults("write"):
            obstore.put(self._store, path, data, use_multipart=False)

    def read(self, path: str) -> bytes | None:
        """None for what is not there."""
        with self._faults("read"):
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                return None

    def delete(self, path: str) -> bool:
        """False for what was not there, where the store says so (S3 does not)."""
        with self._faults("delete"):
            try:
                obstore.delete(self._store, path)
            except FileNotFoundError:
                return False
            return True

    def delete_with_folder(self, path: str) -> bool:
        """`delete`, and the folder that it was the last in, where folders are real.

        That one alone: a writer makes it again if it finds it gone, but trips when folders above it go too (as they do
        with obstore's `automatic_cleanup`).
        """
        found = self.delete(path)
        if self._folder is not None:
            with suppress(OSError):  # not empty, most of the time
                (self._folder / path).parent.rmdir()
        return found

    def rename(self, path: str, to: str) -> bool:
        """False for what is not there. In a bucket: a copy, then a deletion."""
        with self._faults("rename"):
            try:
                obstore.rename(self._store, path, to)
            except FileNotFoundError:
                return False
            return True

    def list(self, folder: str) -> Iterator[Entry]:
        """Everything below a folder, in no order; nothing for a folder that is not there."""
        with self._faults("list"):
            # Typed but for its arrow tables, which need a library that is not here.
            chunks = obstore.list(self._store, folder, chunk_size=_LIST_CHUNK)  # pyright: ignore[reportUnknownMemberType]
            for chunk in chunks:
                for found in chunk:
                    yield Entry(found["path"], found["size"], found["last_modified"].timestamp())

    def folders(self, folder: str) -> list[str]:
        """The paths of the folders in a folder, sorted."""
        with self._faults("list"):
            found = obstore.list_with_delimiter(self._store, folder)  # pyright: ignore[reportUnknownMemberType]
            return sorted(found["common_prefixes"])

    @property
    def _store(self) -> ObjectStore:
        with self._lock:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    @contextmanager
    def _faults(self, what: str) -> Generator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise StoreAway(f"the media store {self.name} is away ({what}: {said(error)})") from error


def open_bucket(url: str, patience: timedelta) -> ObjectStore:
    """A bucket, without a word to it yet. After `patience` a request is not repeated. Raises `StoreError`."""
    # No `client_options`: they would replace what the environment says of the client, `AWS_ALLOW_HTTP` among it.
    retry: RetryConfig = {"max_retries": 3, "retry_timeout": patience}
    try:
        return CLOUDS[url.partition(":")[0].lower()].from_url(url, retry_config=retry)
    except (BaseError, ValueError) as error:
        raise StoreError(f"store {url!r}: {said(error)}") from error


def said(error: Exception) -> str:
    """The first line of an error of obstore's, without what an address may have in its query."""
    first = str(error).strip().partition("\n")[0]
    return _QUERY.sub("?…", first)[:MAX_SAID_CHARS] or type(error).__name__
