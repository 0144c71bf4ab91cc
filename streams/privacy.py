"""Author ids outside the chain: keyed hashes, that tell the same author again and nobody who it is."""

from __future__ import annotations

import hashlib
import hmac

from streams.settings import Secret

HASH_DIGITS = 24
"""96 bits: among a billion authors, two share a hash with a probability of about 1 in 10^11."""


class AuthorHash:
    """HMAC-SHA-256 (RFC 2104) of tenant and author. A hash without a key would be undone by trying all ids."""

    def __init__(self, key: Secret | None) -> None:
        self._key = key.reveal().encode() if key is not None else None

    def of(self, tenant: str, author: str | None) -> str | None:
        """Hex digits; None without a key or an author. The same author id at two tenants is two authors."""
        if self._key is None or author is None:
            return None
        message = f"{len(tenant)}:{tenant}{author}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:HASH_DIGITS]
