"""What the fetch stage may fetch, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchOptions:
    """As the settings of the same names; the defaults fetch from public `https` addresses only.

    A worker holds at most `concurrency` times `max_bytes` of media that it has not stored yet.
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
    decoders: int | None = None
    """Processes that decode; None: as many as cores this process may use."""
    max_attempts: int = 3
    """Attempts of a record after whose failure it is tried again. From then on, what a remote server does wrong fails
    the modality: 0 gives up at once."""
    retention_days: float = 7.0
    """0: nothing is swept."""
