"""The fetch stage in tests, with a decoder and lists that say what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import numpy as np
from msgspec.structs import replace

from processors.fetch import FetchOptions, FetchProcessor
from processors.media.decoder import Decoded, DecodedPicture, DecodedSound, DecoderBroken, Gap, Undecodable
from processors.media.store import MediaStore
from processors.media.wav import RATE, wav_of
from schemas import KnownContent, Media, Modality, Record, Stage, Status
from tests.fetch.servers import Names
from tests.ingested import post_of, received

T = TypeVar("T")

PNG = b"\x89PNG\r\n\x1a\n"
ROUTE = (Stage.INGEST, Stage.FETCH, Stage.OCR, Stage.ASR, Stage.PACK, Stage.ENCODE, Stage.FUSE)
"""Of a post that has everything."""
LOOPBACK = ("127.0.0.0/8",)


def png(name: str, frames: int = 1) -> bytes:
    """What the decoder below takes for a picture of so many frames."""
    return PNG + f"{frames} {name}".encode()


WAV = b"RIFF\0\0\0\0WAVE"


def moving(name: str, frames: int = 0, seconds: float = 0.0) -> bytes:
    """What the decoder below takes for a video of so many frames with that much sound, or for a sound without any."""
    return WAV + f"{frames} {seconds} {name}".encode()


class Decoder:
    """Decodes `png` and `moving`, and nothing else."""

    def __init__(self) -> None:
        self.at_once = 0
        self.most_at_once = 0
        self.broken = False
        self.decoded: list[bytes] = []

    async def decode(self, data: bytes, /) -> Decoded:
        self.decoded.append(data)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.broken:
            raise DecoderBroken("no process can be started")
        if data.startswith(WAV):
            return self._moving(data)
        frames, _, name = data.removeprefix(PNG).decode().partition(" ")
        if name == "broken":
            raise Undecodable("it ends too early")
        pictures = self._pictures(name, int(frames))
        gap = Gap(reason="8 of its 90 frames are looked at") if name == "long" else None
        return Decoded(kind="image", type="image/png", width=40, height=20, pictures=pictures, picture_gap=gap)

    @staticmethod
    def _pictures(name: str, frames: int) -> tuple[DecodedPicture, ...]:
        return tuple(
            DecodedPicture(
                data=f"{name}/{number}".encode(),
                width=20,
                height=10,
                scale=2.0,
                t=None if frames == 1 else number / 10,
                pdq=f"{number:064x}",
                pdq_quality=80,
            )
            for number in range(frames)
        )

    def _moving(self, data: bytes) -> Decoded:
        frames, seconds, name = data.removeprefix(WAV).decode().split(" ", 2)
        if name == "broken":
            raise Undecodable("it ends too early")
        samples = np.full(round(float(seconds) * RATE), len(name), np.int16)
        return Decoded(
            kind="audio" if frames == "0" else "video",
            type="audio/wav",
            width=40 if frames != "0" else None,
            height=20 if frames != "0" else None,
            seconds=max(float(seconds), int(frames) / 10),
            pictures=self._pictures(name, int(frames)),
            sound=DecodedSound(data=wav_of(samples), seconds=float(seconds), t=0.5) if len(samples) else None,
            picture_gap=Gap(reason="no frame is well", failed=True) if name == "unseen" else None,
            sound_gap=Gap(reason="no sound is well", failed=True) if name == "unheard" else None,
        )


class Known:
    """Knows one item by its MD5, and pictures by their PDQ hash."""

    def __init__(self, md5: str = "", pdq: str = "") -> None:
        self._md5 = md5
        self._pdq = pdq

    def match(self, *, md5: str, sha256: str, pdqs: Sequence[tuple[str, int]]) -> tuple[KnownContent, ...]:
        assert len(sha256) == 64
        by_md5 = (KnownContent(list="terror", by="md5"),) if md5 == self._md5 else ()
        return by_md5 + tuple(KnownContent(list="near", by="pdq", distance=3) for pdq, _ in pdqs if pdq == self._pdq)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def record_of(*media: Media, post_id: str = "p-1", attempt: int = 1) -> Record:
    record = received(post_of("caption", post_id=post_id, tenant="acme", media=media))
    return replace(record, route=ROUTE, attempt=attempt, modalities={"text": Modality(status=Status.OK)})


def inline(data: bytes, media_id: str = "m-1", **fields: Any) -> Media:
    return Media(media_id=media_id, kind=fields.get("kind", "image"), data=data)


def at(uri: str, media_id: str = "m-1") -> Media:
    return Media(media_id=media_id, kind="image", uri=uri)


def processor(
    store: MediaStore,
    options: FetchOptions | None = None,
    *,
    decoder: Decoder | None = None,
    known: Known | None = None,
    names: Names | None = None,
) -> FetchProcessor:
    @asynccontextmanager
    async def opened(_: FetchOptions) -> AsyncGenerator[Decoder]:
        yield decoder or Decoder()

    return FetchProcessor(
        store, known or Known(), options or FetchOptions(), decoder=opened, moving=opened, resolver=names or Names({})
    )


def fetched(stage: FetchProcessor, *records: Record) -> list[Record]:
    async def work() -> list[Record]:
        async with stage.session() as handle, asyncio.timeout(60):
            return list(await asyncio.gather(*(handle(record) for record in records)))

    return run(work())


def one(stage: FetchProcessor, record: Record) -> Record:
    return fetched(stage, record)[0]


def without(*stages: Stage) -> tuple[Stage, ...]:
    """`ROUTE` but for these."""
    return tuple(stage for stage in ROUTE if stage not in stages)


def reason(record: Record, modality: str = "image") -> str:
    found = record.modalities[modality]
    assert found.status is Status.FAILED
    return found.reason or ""


def pictures(record: Record) -> list[int]:
    assert record.fetch is not None
    return [len(media.pictures) for media in record.fetch.media]
