"""References to container images."""

from __future__ import annotations


def is_pinned(image: str) -> bool:
    """Whether the reference names a tag other than `latest`, or a digest."""
    name, _, tag = image.rpartition(":")
    return "@sha256:" in image or (bool(name) and "/" not in tag and tag != "latest")
