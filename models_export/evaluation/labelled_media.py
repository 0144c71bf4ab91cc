"""Labelled media files: manifests of a data folder, and posts of one file each for the chain's own stages.

What the suites of `modstream eval` have in common.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from processors.chain import run_chain
from processors.contract import AnyProcessor, Outcome
from schemas import Media, Post, Record, Source, Stage
from schemas.sections import MediaKind

TENANT = "eval"


class SuiteError(ValueError):
    """The data folder is not what it should be; the message is one sentence."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A file to look at, or to listen to."""

    id: str
    reason: str


class MediaFile(Protocol):
    """What all samples have."""

    @property
    def id(self) -> str:
        """Its path below the data folder."""
        ...

    @property
    def path(self) -> Path: ...


Row = TypeVar("Row", bound=msgspec.Struct)
File = TypeVar("File", bound=MediaFile)
Sample = TypeVar("Sample")


@dataclass(frozen=True, slots=True)
class Found(Generic[File]):
    """What the data folder has."""

    samples: tuple[File, ...]
    missing: tuple[str, ...]
    """Files that a manifest names and that are not there."""
    absent: tuple[str, ...]
    """Manifests that are not there."""


def found_of(named: Sequence[File], absent: tuple[str, ...]) -> Found[File]:
    """`named`: what the manifests name, of which some may not be there."""
    there = {sample.id: sample.path.is_file() for sample in named}
    return Found(
        samples=tuple(sample for sample in named if there[sample.id]),
        missing=tuple(sample.id for sample in named if not there[sample.id]),
        absent=absent,
    )


def evenly(samples: Sequence[Sample], limit: int | None) -> tuple[Sample, ...]:
    """At most `limit` of them, evenly spread, so that a small run sees something of every part."""
    if limit is None or limit >= len(samples):
        return tuple(samples)
    return tuple(samples[at * len(samples) // limit] for at in range(limit))


def rows(manifest: Path, row: type[Row]) -> Iterator[Row]:
    """The lines of a manifest. Raises SuiteError for one that cannot be understood."""
    decoder = msgspec.json.Decoder(row)
    with manifest.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise SuiteError(f"{manifest}, line {number}: {error}") from None


def record_of(sample: MediaFile, number: int, *, media_id: str, kind: MediaKind, route: tuple[Stage, ...]) -> Record:
    """The record of a post that is nothing but this file."""
    return Record(
        post=Post(
            post_id=f"eval-{number}",
            tenant=TENANT,
            media=(Media(media_id=media_id, kind=kind, uri=sample.path.as_uri()),),
        ),
        source=Source(topic="eval", partition=0, offset=number, timestamp_ms=0),
        content_hash=hashlib.sha256(sample.id.encode()).hexdigest(),
        received_ms=0,
        route=route,
    )


def through(processor: AnyProcessor, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes that are still records, through one stage."""
    records = [outcome for outcome in outcomes if isinstance(outcome, Record)]
    done = iter(run_chain([processor], records))
    return [next(done) if isinstance(outcome, Record) else outcome for outcome in outcomes]
