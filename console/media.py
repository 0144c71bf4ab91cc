"""Media on the page: addresses that hold for minutes and for nothing else, and what lies behind them."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from aiohttp import web

from schemas import Post
from streams.media_objects import MediaObjects, Shown, ShownItem

ADDRESS_S = 600
"""How long an address holds: while a reviewer looks at one post."""

MAX_HELD_BYTES = 128 * 1024 * 1024
"""Of decoded pictures and sounds, for the pages that are about to ask for them."""

HEADERS = {
    "Cache-Control": "no-store",  # a browser's disk is no place for what was blocked
    "Content-Disposition": "inline",
    # Whatever a browser takes it for, it runs nothing and loads nothing.
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class MediaDesk:
    """Shows the media of posts."""

    def __init__(self, objects: MediaObjects, clock: Callable[[], float] = time.monotonic) -> None:
        self._objects = objects
        self._clock = clock
        self._held: OrderedDict[bytes, tuple[Shown, float]] = OrderedDict()
        self._bytes = 0

    async def rows(self, post: Post) -> list[dict[str, Any]]:
        """The rows of `/api/posts` for a post's media."""
        return [self._row(item) for item in await self._objects.of_post(post)]

    def find(self, token: str) -> Shown | None:
        """What an address of ours leads to; None where it does not hold, or no longer."""
        self._drop_old()
        part, _ = self._held.get(hashlib.sha256(token.encode()).digest(), (None, 0.0))
        return part

    def _drop_old(self) -> None:
        # In the order in which they were made, which is that in which they end.
        while self._held and next(iter(self._held.values()))[1] < self._clock():
            self._bytes -= len(self._held.popitem(last=False)[1][0].data)

    def _row(self, item: ShownItem) -> dict[str, Any]:
        frames = [self._part(part) for part in item.pictures]
        sound = None if item.sound is None else self._part(item.sound)
        first = frames[0]["src"] if frames else None if sound is None else sound["src"]
        return {
            "media_id": item.media_id,
            "kind": item.kind,
            "type": item.type,
            "sha256": item.sha256,
            "src": first,
            "why_not": item.why_not,
            "width": item.width,
            "height": item.height,
            "seconds": item.seconds,
            "frames": frames,
            "sound": sound,
        }

    def _part(self, part: Shown) -> dict[str, Any]:
        self._drop_old()
        token = secrets.token_urlsafe(24)
        self._held[hashlib.sha256(token.encode()).digest()] = (part, self._clock() + ADDRESS_S)
        self._bytes += len(part.data)
        while self._bytes > MAX_HELD_BYTES and len(self._held) > 1:
            self._bytes -= len(self._held.popitem(last=False)[1][0].data)
        return {
            "src": f"/api/media/{token}",
            "type": part.type,
            "t": part.t,
            "width": part.width,
            "height": part.height,
            "scale": part.scale,
            "origin": part.origin,
        }


def response_of(part: Shown, wanted: slice) -> web.Response:
    """The bytes, of a type that the page shows; `wanted`: the request's `Range` (RFC 9110, 14), without which no player
    jumps in a sound. 416 for a stretch that is not there."""
    headers = {**HEADERS, "Accept-Ranges": "bytes"}
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=part.data, content_type=part.type, headers=headers)
    start, stop, _ = wanted.indices(len(part.data))
    if start >= stop:
        headers["Content-Range"] = f"bytes */{len(part.data)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(part.data)}"
    return web.Response(status=206, body=part.data[start:stop], content_type=part.type, headers=headers)
