"""Settings on what leaves the chain about persons."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from streams.settings.private import Secret


class PrivacySettings(Struct, frozen=True, kw_only=True):
    """What exports say about who wrote a post."""

    hash_key: (
        Annotated[
            Secret,
            Meta(
                description="Key of the hashes (HMAC-SHA-256) that stand for author ids in what is exported, such as "
                "the pairs of a replay; 32 random characters or more. Without a key authors are left out: a hash "
                "without one is undone by trying all ids. Never shown: it prints as stars."
            ),
        ]
        | None
    ) = None
