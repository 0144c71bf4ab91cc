"""Rows of a manifest, made for a test."""

from __future__ import annotations

from typing import Any

from models_export.datasets.manifest import Labels, MediaFile, Row

TOPICS = ("the harbour at dawn", "a recipe with beans", "trains that are late", "an old piano", "snow on the hills")


def row(identity: str, **fields: Any) -> Row:
    usual: dict[str, Any] = {
        "dataset": "made",
        "split": "train",
        "lang": "en",
        "licence": "CC0 1.0",
        "source": "made for a test",
    }
    return Row(id=f"made:{identity}", **(usual | fields))


def judged(identity: str, *, hate: bool, **fields: Any) -> Row:
    return row(identity, labels=Labels(labels={"abuse": hate, "hate": hate}), **fields)


def picture(path: str, pdq: str | None = None, sha256: str = "0" * 64) -> tuple[MediaFile, ...]:
    return (MediaFile(path=path, sha256=sha256, pdq=pdq, pdq_quality=100 if pdq else 0),)


def distinct(number: int) -> str:
    """A text that is near no other one of these."""
    return " ".join(f"word{number * 31 + step * step * 7}" for step in range(6))
