"""A stage that reads media, without Kafka, as a process that answers questions.

Settings from the environment, as a worker's. A line of standard input is a JSON list of files; the answer is
`{"seconds": …, "cpu_s": …, "lines": [[…], …]}` on a line, with wall time and the CPU time of all threads. Decoding what
the store holds counts, putting it there does not: a worker does that in the stage before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

from processors.chain import run_chain
from processors.media.store import MediaStore
from schemas import Media, Post, Record, Source, Stage
from schemas.sections import FetchedMedia, FetchSection
from streams.assembly import chain_of
from streams.settings import load_settings

TENANT = "default"
MEDIA_ID = "m-1"

Fetched = Callable[[Path, bytes, str], FetchedMedia]
"""What fetch says of a file: its path, its bytes, and its address in the store."""
Lines = Callable[[Record], list[str] | None]
"""What the stage has read in a post; None where it has not."""


def records(store: MediaStore, files: Sequence[Path], numbers: Iterator[int], fetched: Fetched) -> list[Record]:
    """One post a file, as fetch leaves it. The posts are always others, the files may not be."""
    return [asyncio.run(_record(store, path, number, fetched)) for path, number in zip(files, numbers, strict=False)]


async def _record(store: MediaStore, path: Path, number: int, fetched: Fetched) -> Record:
    data, post_id = path.read_bytes(), f"p-{number:06}"
    name = await store.put(TENANT, post_id, data)
    media = fetched(path, data, name)
    return Record(
        post=Post(
            post_id=post_id, tenant=TENANT, media=(Media(media_id=MEDIA_ID, kind=media.kind, uri=f"store:{name}"),)
        ),
        source=Source(topic="posts", partition=0, offset=number, timestamp_ms=0),
        content_hash=name,
        received_ms=0,
        route=(Stage.OCR, Stage.ASR),
        fetch=FetchSection(media=(media,)),
    )


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def lines(outcomes: Sequence[object], read: Lines) -> list[list[str]]:
    """What was read in each file. Raises RuntimeError for an outcome without a reading."""
    found: list[list[str]] = []
    for outcome in outcomes:
        said = read(outcome) if isinstance(outcome, Record) else None
        if said is None:
            raise RuntimeError(f"the stage read nothing: {outcome!r}")
        found.append(said)
    return found


def answer_questions(stage: Stage, fetched: Fetched, read: Lines) -> None:
    """Until the end of standard input."""
    settings = load_settings(None, os.environ, {}).settings
    processors, _ = chain_of(settings, "benchmark", (stage,))
    store = MediaStore.open(settings.store.url)
    numbers = count()
    print("ready", flush=True)
    for question in sys.stdin:
        batch = records(store, [Path(name) for name in json.loads(question)], numbers, fetched)
        began, cpu_before = time.perf_counter(), time.process_time()
        outcomes = run_chain(processors, batch)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_before
        print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "lines": lines(outcomes, read)}), flush=True)
