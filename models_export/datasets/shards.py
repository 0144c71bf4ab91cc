"""Tar shards in WebDataset's layout: `00000042.json` and `00000042.webp` are one item.

The texts in them are those that a worker would have: what the author wrote, and what OCR and ASR found. Transcripts by
people stay out.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from models_export.datasets.manifest import DatasetError, Row, Split
from models_export.datasets.media_files import is_there, sha256_of
from models_export.datasets.mismatches import Caption, mismatched
from models_export.datasets.readings import AsrRead, OcrRead

ITEMS = 5_000
"""In a shard, where nothing else is asked for; 10,000 is the most that is sensible for streaming."""

INDEX = "shards.json"


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """A file."""

    file: str
    items: int
    mismatches: int
    sha256: str


class Shards(msgspec.Struct, frozen=True, kw_only=True):
    """`shards.json`."""

    split: str
    items: int
    mismatches: int
    left_out: int
    """Rows whose media are not there as they were hashed, or were not read."""
    shards: list[Shard]


@dataclass(frozen=True, slots=True)
class Item:
    """What goes into a tar."""

    row: Row
    said: dict[str, Any]
    """The JSON part."""


def write_shards(
    rows: Sequence[Row],
    data: Path,
    readings: tuple[Mapping[str, OcrRead], Mapping[str, AsrRead]] | None,
    out: Path,
    *,
    split: Split = "train",
    items: int = ITEMS,
    mismatches: float = 0.5,
) -> Shards:
    """The rows of a split with media, in an order that depends on their ids alone, `items` to a shard.

    `readings`: by the media's SHA-256. After a share of `mismatches` (0..1) of the pictures stands the same picture
    with words of another (`mismatched`): what it says then is not known, so that it has no labels.
    Raises DatasetError where there is nothing to write, texts are transcripts and there are no readings, or `out` has
    shards already: old ones behind the new would be read with them.
    """
    chosen = sorted((row for row in rows if row.split == split and row.media), key=lambda row: _order(row.id))
    if readings is None and any(row.text_from != "post" for row in chosen):
        raise DatasetError("the texts are transcripts by people; expected what `modstream data extract` wrote")
    ocr, asr = readings if readings is not None else ({}, {})
    there = [
        row
        for row in chosen
        if _complete(row, ocr, asr, needed=readings is not None) and all(is_there(data, file) for file in row.media)
    ]
    if not there:
        raise DatasetError(f"no row of the split {split} has media that are there and were read; nothing to write")
    if any(out.glob("*.tar")):
        raise DatasetError(f"{out}: has shards already; expected a folder without")
    out.mkdir(parents=True, exist_ok=True)
    written: list[Shard] = []
    sequence = list(_sequence([Item(row, _said(row, ocr, asr)) for row in there], mismatches))
    for start in range(0, len(sequence), items):
        part = sequence[start : start + items]
        name = f"{split}-{len(written):06d}.tar"
        _write(out / name, part, start, data)
        written.append(
            Shard(
                file=name,
                items=len(part),
                mismatches=sum(item.said["mismatch"] for item in part),
                sha256=sha256_of(out / name),
            )
        )
    found = Shards(
        split=split,
        items=len(sequence),
        mismatches=sum(shard.mismatches for shard in written),
        left_out=len(chosen) - len(there),
        shards=written,
    )
    (out / INDEX).write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return found


def _complete(row: Row, ocr: Mapping[str, OcrRead], asr: Mapping[str, AsrRead], *, needed: bool) -> bool:
    return all(
        file.sha256 is not None
        and (not needed or file.kind == "audio" or file.sha256 in ocr)
        and (not needed or file.kind == "image" or file.sha256 in asr)
        for file in row.media
    )


def _said(row: Row, ocr: Mapping[str, OcrRead], asr: Mapping[str, AsrRead]) -> dict[str, Any]:
    hashes = [file.sha256 for file in row.media if file.sha256 is not None]
    read = [ocr[sha256] for sha256 in hashes if sha256 in ocr]
    heard = [asr[sha256] for sha256 in hashes if sha256 in asr]
    return {
        "id": row.id,
        "dataset": row.dataset,
        "lang": row.lang,
        "text": row.text if row.text_from == "post" else "",
        "context": row.context,
        "ocr": "\n".join(one.text for one in read),
        "ocr_confidence": min((one.confidence for one in read if one.confidence is not None), default=None),
        "ocr_coverage": max((one.coverage for one in read), default=0.0),
        "asr": "\n".join(one.text for one in heard),
        "asr_confidence": min((one.confidence for one in heard if one.confidence is not None), default=None),
        "asr_unsafe_ratio": max((one.unsafe_ratio for one in heard), default=0.0),
        "labels": msgspec.to_builtins(row.labels),
        "by_modality": msgspec.to_builtins(row.by_modality),
        "votes": msgspec.to_builtins(row.votes),
        "facts": row.facts,
        "licence": row.licence,
        "mismatch": False,
    }


def _sequence(items: Sequence[Item], share: float) -> Iterator[Item]:
    """Each item, and after some of them their picture with words of another."""
    captions = [
        Caption(
            "\n".join(filter(None, (item.said["text"], item.said["ocr"]))),
            item.row.labels.labels.get("hate", item.row.labels.labels.get("abuse")),
            # A picture that two items have is also shown with the words of the other.
            item.row.group or item.row.media[0].sha256,
        )
        for item in items
    ]
    for item, other in zip(items, mismatched(captions).tolist(), strict=True):
        yield item
        if other >= 0 and item.row.media[0].kind == "image" and _lot(item.row.id) < share:
            yield Item(item.row, _with_words_of(item.said, items[other].said))


def _with_words_of(said: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    lent = {name: other[name] for name in ("text", "context", "ocr", "ocr_confidence", "ocr_coverage", "lang")}
    unknown = {"labels": {}, "by_modality": {}, "votes": [], "facts": {}}
    return {**said, **lent, **unknown, "mismatch": True, "words_of": other["id"]}


def _write(path: Path, items: Sequence[Item], first: int, data: Path) -> None:
    """Headers are the same at every time and on every machine, so that the same items give the same bytes."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for number, item in enumerate(items, first):
            _add(tar, f"{number:08d}.json", msgspec.json.encode(item.said))
            for place, file in enumerate(item.row.media):
                # WebDataset takes everything after the first dot for the kind of part.
                part = "" if place == 0 else f"{place}."
                suffix = Path(file.path).suffix.lower().lstrip(".") or "bin"
                _add(tar, f"{number:08d}.{part}{suffix}", (data / file.path).read_bytes())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    tar.addfile(header, io.BytesIO(content))


def _order(identity: str) -> str:
    return hashlib.sha256(f"shard:{identity}".encode()).hexdigest()


def _lot(identity: str) -> float:
    """0..1, the same in every run."""
    return int(hashlib.sha256(f"mismatch:{identity}".encode()).hexdigest()[:8], 16) / 2**32
