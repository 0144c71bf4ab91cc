"""What the fetch stage may fetch, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

POST_TIMEOUTS = 6
"""A post's items together may be fetched this many times as long as one may: a hundred slow servers must not hold a
post, and the messages behind it, for a quarter of an hour."""

POST_DECODE_TIMEOUTS = 4
"""And decoded this many times as long: a hundred pictures that each take all the time there is would do the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchOptions:
    """As the settings of the same names; the defaults fetch from public `https` addresses only.

    What a worker holds of media at most: for each of `concurrency` items (four, if that is less) `max_bytes` as they
    came, and as much again for each decoder that is being handed them; for each of `concurrency` posts the pictures of
    one item until they are stored: `max_frames` (of a video `video_frames`, and 32 parts of covers) of up to
    3 * `picture_side`^2 bytes and a little each (12 MiB by default, for noise; a photograph takes a tenth of that), and
    its sound: 32 kB for each of `max_seconds`.
    """

    file_roots: tuple[Path, ...] = ()
    allow_http: bool = False
    cloud_prefixes: tuple[str, ...] = ()
    """`s3://bucket/folder/`: what may be read with our credentials."""
    allowed_ports: tuple[int, ...] = (80, 443)
    allowed_networks: tuple[str, ...] = ()
    """In CIDR notation: what may be fetched from although it is not public."""
    proxy: str | None = None
    max_bytes: int = 32 * 1024 * 1024
    max_inline_bytes: int = 256 * 1024
    fetch_timeout_s: float = 10.0
    max_redirects: int = 3
    concurrency: int = 64
    max_pixels: int = 100_000_000
    picture_side: int = 2_048
    max_frames: int = 8
    decode_timeout_s: float = 15.0
    decode_memory_mb: int = 2_048
    max_seconds: float = 600.0
    """Of a video or a sound, that are looked at and listened to; and of sound, of all of a post together."""
    long_seconds: float = 60.0
    """Posts whose videos and sounds last longer together are long."""
    video_frames: int = 16
    frame_gap_s: float = 4.0
    decoders: int | None = None
    """Processes that decode pictures; None: as many as cores this process may use. Half as many, at least one, decode
    video and sound beside."""
    max_attempts: int = 3
    """Times that a record may be tried again in all. What a remote server does wrong fails the modality at the attempt
    of this number, 0 and 1 at once: the try that is left is for faults of ours in the stages to come."""
    retention_days: float = 7.0
    """0: nothing is swept."""
