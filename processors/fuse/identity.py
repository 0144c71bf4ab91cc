"""Ids that are functions of what they stand for, so that a repeated decision can be recognised."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

ID_DIGITS = 32
"""128 bits: no two decisions will ever share an id."""


def decision_id(post_id: str, content_hash: str, media: Sequence[str], pack: str, policy: str) -> str:
    """The same for the same post with the same content under the same pack and policy (their hashes).

    `media`: SHA-256 of each item as it was fetched; what is behind an address may change.
    """
    return _digest("decision", post_id, content_hash, *media, pack, policy)


def flag_id(decision: str, flag: str) -> str:
    return _digest("flag", decision, flag)


def _digest(*parts: str) -> str:
    # JSON keeps the parts apart: ("a", "bc") and ("ab", "c") must differ.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:ID_DIGITS]
