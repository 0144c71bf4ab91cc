"""What arrives in pieces, held once."""

from __future__ import annotations

from io import BytesIO

from processors.fetch.faults import too_large


class Body:
    """Collects the pieces of an item. They are not joined at the end, which would hold all of it twice."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = BytesIO()

    def add(self, piece: bytes | memoryview) -> None:
        """Raises `Unfetchable` where there are more than `limit` bytes by now."""
        self._buffer.write(piece)
        if self._buffer.tell() > self._limit:
            raise too_large(self._limit)

    def whole(self) -> bytes:
        """All of it; the buffer's own bytes, not a copy of them."""
        return self._buffer.getvalue()
