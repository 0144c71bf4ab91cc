"""Media of a replay: read from the chain's store too, and written beside it, so that what is live stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from processors.media.backend import Backend
from processors.media.store import MediaMissing, MediaStore


class BesideStore(MediaStore):
    """A store of its own in a folder, that finds what it lacks in another one, which it never writes to."""

    def __init__(self, folder: Path, live: MediaStore) -> None:
        super().__init__(Backend.at(str(folder)))
        self._live = live

    def get(self, tenant: str, sha256: str) -> bytes:
        """As `MediaStore.get`."""
        try:
            return super().get(tenant, sha256)
        except MediaMissing:
            return self._live.get(tenant, sha256)

    async def forget_all(self, post_ids: Iterable[str]) -> None:
        for post_id in post_ids:
            await self.forget(post_id)
