"""A manifest's media through the chain's own OCR and ASR stages, each file once; a run that was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models_export.datasets.manifest import MediaFile, Row
from models_export.datasets.media_files import sha256_of
from models_export.datasets.readings import ASR, OCR, AsrRead, Kind, OcrRead, asr_of, ocr_of, scan_readings
from models_export.evaluation.labelled_media import record_of
from processors.chain import run_chain
from processors.contract import AnyProcessor
from schemas import Record, Stage
from schemas.sections import MediaKind

ROUTES: dict[MediaKind, tuple[Stage, ...]] = {
    "image": (Stage.FETCH, Stage.OCR),
    "video": (Stage.FETCH, Stage.OCR, Stage.ASR),
    "audio": (Stage.FETCH, Stage.ASR),
}
STAGES = (Stage.FETCH, Stage.OCR, Stage.ASR)

CHUNK = 32
"""Files that go through the stages together, after which their readings are on disk."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file to read."""

    id: str
    path: Path
    kind: MediaKind
    sha256: str


@dataclass(slots=True)
class Extracted:
    """How a run went, in files."""

    read: int = 0
    failed: int = 0
    """That left the chain with an error, as where a child process was lost: the next run asks again."""
    changed: int = 0
    """That are gone, or have other bytes than the manifest says: what is in them is not what it speaks of."""


def items_of(rows: Iterable[Row], data: Path) -> tuple[list[Item], int]:
    """Each file once, in the manifest's order, and how many are not there."""
    files: dict[str, MediaFile] = {}
    missing: set[str] = set()
    for file in (file for row in rows for file in row.media):
        if file.sha256 is None:
            missing.add(file.path)
        else:
            files.setdefault(file.sha256, file)
    items = [Item(file.path, (data / file.path).resolve(), file.kind, sha256) for sha256, file in files.items()]
    return items, len(missing)


def unread(items: Sequence[Item], out: Path, reader: str) -> list[Item]:
    """Those whose readings are not all in `out`. Lines of another reader, and half lines, are taken out there."""
    out.mkdir(parents=True, exist_ok=True)
    done = {Stage.OCR: _kept(out / OCR, OcrRead, reader), Stage.ASR: _kept(out / ASR, AsrRead, reader)}
    return [
        item for item in items if any(item.sha256 not in done[stage] for stage in ROUTES[item.kind] if stage in done)
    ]


def extract(
    processors: Sequence[AnyProcessor], items: Sequence[Item], out: Path, reader: str, progress: Callable[[int], None]
) -> Extracted:
    """Adds the readings of `items`, which are `unread`, to `ocr.jsonl` and `asr.jsonl` in `out`.

    `processors`: the chain's `STAGES`. `progress` is told how many files are done.
    """
    done = Extracted()
    with (out / OCR).open("ab") as ocr_file, (out / ASR).open("ab") as asr_file:
        for start in range(0, len(items), CHUNK):
            chunk = [item for item in items[start : start + CHUNK] if _is_hashed(item)]
            done.changed += len(items[start : start + CHUNK]) - len(chunk)
            records = [
                record_of(item, start + at, media_id="media", kind=item.kind, route=ROUTES[item.kind])
                for at, item in enumerate(chunk)
            ]
            for item, outcome in zip(chunk, run_chain(processors, records), strict=True):
                if not isinstance(outcome, Record):
                    done.failed += 1
                    continue
                done.read += 1
                # A file that was cut off between the two lines gets both again: the later line holds.
                if Stage.OCR in ROUTES[item.kind]:
                    ocr_file.write(_line(ocr_of(outcome, item.sha256, reader)))
                if Stage.ASR in ROUTES[item.kind]:
                    asr_file.write(_line(asr_of(outcome, item.sha256, reader)))
            ocr_file.flush()
            asr_file.flush()
            progress(done.read + done.failed + done.changed)
    return done


def _is_hashed(item: Item) -> bool:
    """Readings are found by the hash: those of other bytes would be taken for this file's."""
    return item.path.is_file() and sha256_of(item.path) == item.sha256


def _kept(path: Path, kind: type[Kind], reader: str) -> set[str]:
    """What is there already. The file is written anew where it has anything else."""
    found, broken = scan_readings(path, kind)
    same = {sha256: one for sha256, one in found.items() if one.reader == reader}
    if broken or len(same) < len(found):
        whole = path.with_suffix(".new")
        whole.write_bytes(b"".join(map(_line, same.values())))
        whole.replace(path)
    return set(same)


def _line(reading: OcrRead | AsrRead) -> bytes:
    return msgspec.json.encode(reading) + b"\n"
