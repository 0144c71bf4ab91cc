"""The OCR stage without Kafka: `python -m benchmarks.subjects.ocr_stage`.

Settings from the environment, as a worker's. A line of standard input is a JSON list of picture files; the answer is
`{"seconds": …, "lines": [[…], …]}` on a line. Decoding what the store holds counts, putting it there does not: a worker
does that in the stage before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from PIL import Image

from processors.chain import run_chain
from processors.media.store import MediaStore
from schemas import Media, Post, Record, Source, Stage
from schemas.sections import FetchedMedia, FetchSection, Picture
from streams.assembly import chain_of
from streams.settings import load_settings

TENANT = "default"


def records(store: MediaStore, files: Sequence[Path], numbers: Iterator[int]) -> list[Record]:
    """One post a picture, as fetch leaves it. The posts are always others, the pictures may not be."""
    return [asyncio.run(_record(store, path, number)) for path, number in zip(files, numbers, strict=False)]


async def _record(store: MediaStore, path: Path, number: int) -> Record:
    data, post_id = path.read_bytes(), f"p-{number:06}"
    name = await store.put(TENANT, post_id, data)
    with Image.open(path) as picture:
        width, height = picture.size
    fetched = FetchedMedia(
        media_id="m-1",
        kind="image",
        type="image/jpeg",
        sha256=name,
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        bytes=len(data),
        width=width,
        height=height,
        pictures=(Picture(object=name, width=width, height=height),),
    )
    return Record(
        post=Post(post_id=post_id, tenant=TENANT, media=(Media(media_id="m-1", kind="image", uri=f"store:{name}"),)),
        source=Source(topic="posts", partition=0, offset=number, timestamp_ms=0),
        content_hash=name,
        received_ms=0,
        route=(Stage.OCR,),
        fetch=FetchSection(media=(fetched,)),
    )


def lines(outcomes: Sequence[object]) -> list[list[str]]:
    """What was read in each picture. Raises RuntimeError for an outcome without a reading."""
    found: list[list[str]] = []
    for outcome in outcomes:
        if not isinstance(outcome, Record) or outcome.ocr is None or not outcome.ocr.pictures:
            raise RuntimeError(f"the stage read nothing: {outcome!r}")
        found.append([line.text for _, line in outcome.ocr.lines])
    return found


def main() -> None:
    settings = load_settings(None, os.environ, {}).settings
    processors, _ = chain_of(settings, "benchmark", (Stage.OCR,))
    store = MediaStore.open(settings.store.url)
    numbers = count()
    print("ready", flush=True)
    for question in sys.stdin:
        batch = records(store, [Path(name) for name in json.loads(question)], numbers)
        began = time.perf_counter()
        outcomes = run_chain(processors, batch)
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "lines": lines(outcomes)}), flush=True)


if __name__ == "__main__":
    main()
