"""What tells that two posts share a medium or nearly a text: short hashes, of which nobody can read the post.

Texts: MinHash in bands. A. Broder, *On the resemblance and containment of documents* (1997); bands as in J. Leskovec,
A. Rajaraman, J. Ullman, *Mining of Massive Datasets*, section 3.4. Two texts whose sets of shingles have the Jaccard
similarity J share a band of r rows with probability J^r: with r = 3, 0.73 at J = 0.9 and 0.03 at J = 0.3. The copies of
one text with small changes so fill one band, and its count says of how many posts at least.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib

import numpy as np

from schemas import Media, Post

BANDS = 2
ROWS = 3
"""Hashes in a band, see above. More rows would miss floods whose senders change some words, fewer join strangers."""

SHINGLE = 5
"""Characters in a shingle: about a word, and no need to know where words end, which half the scripts do not mark."""

MIN_CHARS = 24
"""Texts that are shorter after normalisation are not counted: everybody says `good morning` by themselves."""

MAX_CHARS = 2_000
"""What is read of a text: a flood's copies begin alike, and work per post stays bounded."""

HASH_CHARS = 24
"""Hexadecimal digits of a hash that are kept: 96 bits, of which no two of a window's will be equal by chance."""

_PRIME = (1 << 31) - 1
_random = np.random.default_rng(20_261_122)  # fixed: two workers must draw the same hash functions
_A = _random.integers(1, _PRIME, size=(BANDS * ROWS, 1), dtype=np.uint64)
_B = _random.integers(0, _PRIME, size=(BANDS * ROWS, 1), dtype=np.uint64)

_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_STORE = re.compile(r"^store:(?://)?(?P<sum>[0-9a-fA-F]{64})\b")


def normalised(text: str) -> str:
    """Letters only, in one case and without marks: what senders vary first is addresses, names, digits and emoji."""
    folded = unicodedata.normalize("NFKD", _ADDRESS.sub(" ", text[:MAX_CHARS])).casefold()
    words = re.sub(r"[@#]\w+", " ", folded)
    return "".join(character for character in words if character.isalpha())


def text_bands(text: str) -> tuple[str, ...]:
    """The bands of a text, none where it is too short; each names its place, so that bands meet only their like."""
    letters = normalised(text)
    if len(letters) < MIN_CHARS:
        return ()
    shingles = {letters[at : at + SHINGLE] for at in range(len(letters) - SHINGLE + 1)}
    hashes = np.fromiter((zlib.crc32(shingle.encode()) for shingle in shingles), np.uint64, len(shingles))
    # h(x) = (a x + b) mod p, a universal family (Carter and Wegman, 1979); x and a are below 2^32: no overflow.
    least = ((_A * (hashes % _PRIME) + _B) % _PRIME).min(axis=1)
    return tuple(
        f"text.{band}.{_short(least[band * ROWS : (band + 1) * ROWS].astype('<u8').tobytes())}" for band in range(BANDS)
    )


def media_name(media: Media) -> str:
    """By content where the message has it or names it (`store:`); else by address: only a fetch tells what is there."""
    if media.data is not None:
        return f"media.{hashlib.sha256(media.data).hexdigest()[:HASH_CHARS]}"
    address = media.uri or ""
    stored = _STORE.match(address)
    return f"media.{stored['sum'].lower()[:HASH_CHARS]}" if stored else f"address.{_short(address.encode())}"


def post_names(post: Post) -> list[str]:
    """Everything of a post that a flood may share, each once."""
    names = {media_name(item) for item in post.media}
    if post.text:
        names.update(text_bands(post.text))
    return sorted(names)


def _short(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:HASH_CHARS]
