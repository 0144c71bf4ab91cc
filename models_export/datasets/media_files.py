"""Whether a file of the manifest is the one that was hashed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models_export.datasets.manifest import MediaFile

BLOCK = 1 << 20
"""Bytes read at a time."""


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def is_there(data: Path, file: MediaFile) -> bool:
    """Whether it is there, below the data folder, with the bytes that the manifest says."""
    path = (data / file.path).resolve()
    return (
        file.sha256 is not None
        and path.is_relative_to(data.resolve())
        and path.is_file()
        and sha256_of(path) == file.sha256
    )
