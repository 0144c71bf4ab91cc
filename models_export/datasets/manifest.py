"""`data_manifest.jsonl`: one row for each item, whatever set it comes from. docs/datasets.md describes the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas import ATTACKS, LABELS, TARGETS
from schemas.sections import MediaKind, Sha256

MANIFEST = "data_manifest.jsonl"

Split = Literal["train", "dev", "test", "diagnostic", "excluded"]
"""`diagnostic` rows measure and never train; `excluded` ones do neither, and say why."""

HELD_OUT: tuple[Split, ...] = ("diagnostic", "test", "dev")
"""From the one that must be kept cleanest."""

Severity = Annotated[int, Meta(ge=0, le=4)]


class DatasetError(ValueError):
    """A data set is not what it should be; the message is one sentence with file, row and what is expected."""


class Labels(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What somebody said of an item, in the canonical taxonomy. What is not there was not judged."""

    labels: dict[str, bool] = {}
    """Label of `schemas.LABELS` -> whether it holds."""
    targets: tuple[str, ...] | None = None
    """Of `schemas.TARGETS`; empty where nobody is attacked, None where the source does not say."""
    attacks: tuple[str, ...] | None = None
    """Of `schemas.ATTACKS`, in the same way."""
    implicit: bool | None = None
    """Abuse without explicit wording."""
    severity: Severity | None = None
    """0 none, 1 weak, 2 moderate, 3 strong, 4 extreme."""

    def __post_init__(self) -> None:
        for what, names, known in (
            ("label", self.labels, LABELS),
            ("target", self.targets or (), TARGETS),
            ("attack", self.attacks or (), ATTACKS),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(f"{name!r} is no {what}; expected one of {', '.join(known)}")

    @property
    def judged(self) -> bool:
        """Whether anything at all was said."""
        return self != NOT_JUDGED


NOT_JUDGED = Labels()


class MediaFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture, a video or a sound of an item."""

    path: str
    """Below the data folder, with `/`."""
    kind: MediaKind = "image"
    sha256: Sha256 | None = None
    """Of its bytes; None where the file is not there."""
    pdq: str | None = None
    """PDQ hash of a picture, 64 hex digits; None where there is none."""
    pdq_quality: int = 0
    """0..100; below 50 the hash says little."""


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the manifest."""

    id: str
    """`dataset:` and the id that the source gave; unique in a manifest."""
    dataset: str
    split: Split
    split_by: Literal["authors", "us"] = "authors"
    """Whose split it is: ours where the authors published one part only."""
    lang: str
    """ISO 639 code."""
    text: str = ""
    text_from: Literal["post", "picture", "speech"] = "post"
    """`post`: the author wrote it. Otherwise it is what people read in the picture or heard in the sound, which neither
    training nor evaluation may look at: they take what the chain's own OCR and ASR found (`extract`)."""
    context: str | None = None
    """What it answers to."""
    media: tuple[MediaFile, ...] = ()
    labels: Labels = NOT_JUDGED
    """Of the whole item."""
    by_modality: dict[Literal["text", "image"], Labels] = {}
    """Of a part by itself."""
    votes: tuple[Labels, ...] = ()
    """Of each annotator."""
    rationale: tuple[tuple[int, int], ...] = ()
    """[start, end) in code points of `text` that made people say so."""
    source_labels: tuple[str, ...] = ()
    """As in the source."""
    facts: dict[str, str] = {}
    """What suites group by: `functionality`, `pattern`, `difficulty`, `target`, ..."""
    group: str | None = None
    """Shared by items that the source calls nearly the same."""
    licence: str
    """As the source states it, or that it states none."""
    source: str
    """Who published it, and what to know of its labels."""
    excluded: str | None = None
    """Why, in the split `excluded`."""


def write_manifest(path: Path, rows: Iterable[Row]) -> int:
    """A row a line; how many. An earlier file stays as it is until the new one is whole.

    Raises DatasetError for a text that is no Unicode: JSON can spell half a character.
    """
    encoder = msgspec.json.Encoder()
    count = 0
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        for row in rows:
            try:
                file.write(encoder.encode(row) + b"\n")
            except UnicodeEncodeError as error:
                raise DatasetError(f"{row.id}: {error.reason}; expected Unicode text") from None
            count += 1
    part.replace(path)
    return count


def read_manifest(path: Path) -> Iterator[Row]:
    """Raises DatasetError for a line that is no row: an unknown label among them, and an id that was there before."""
    for found in scan_manifest(path):
        if isinstance(found, str):
            raise DatasetError(f"{path}, {found}")
        yield found


def scan_manifest(path: Path) -> Iterator[Row | str]:
    """Each line's row, or what is wrong with the line."""
    decoder = msgspec.json.Decoder(Row)
    seen: set[str] = set()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield f"line {number}: {error}"
                continue
            if row.id in seen:
                yield f"line {number}: the id {row.id!r} is taken; expected one row for each item"
                continue
            seen.add(row.id)
            yield row
