"""What the fetch stage makes of video and sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from processors.fetch import FetchOptions, FetchProcessor
from processors.fetch.processor import MAX_PICTURES
from processors.media.decoder import Decoded
from processors.media.known import KnownLists
from processors.media.sounds import SoundReader
from processors.media.store import MediaMissing, MediaStore
from schemas import FetchedMedia, Modality, Record, Sound, Stage, Status, decode_record, encode_record
from tests.fetch.stage_parts import (
    ROUTE,
    Decoder,
    Known,
    inline,
    moving,
    one,
    pictures,
    png,
    processor,
    reason,
    record_of,
    run,
    without,
)
from tests.media.drawn import photo
from tests.media.sounded import sound, tone, video


def items(record: Record) -> tuple[FetchedMedia, ...]:
    assert record.fetch is not None
    return record.fetch.media


def heard(record: Record) -> list[float | None]:
    return [item.sound.seconds if item.sound else None for item in items(record)]


def test_a_video_has_frames_and_a_sound_and_goes_all_the_way(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(moving("clip", 3, 1.5))))
    (item,) = items(record)
    assert (item.kind, item.type, item.width, item.height, item.seconds) == ("video", "audio/wav", 40, 20, 1.5)
    assert [picture.t for picture in item.pictures] == [0.0, 0.1, 0.2]
    assert item.sound is not None
    assert (item.sound.seconds, item.sound.t) == (1.5, 0.5)
    assert SoundReader(store).read("acme", item.sound.object) == pytest.approx(np.full(24_000, 4 / 32_768))
    assert record.route == ROUTE
    assert record.modalities == {"text": Modality(status=Status.OK)}
    assert decode_record(encode_record(record)) == record


def test_a_sound_has_nothing_to_look_at(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(moving("clip", 0, 2.0), kind="video")))
    (item,) = items(record)
    assert (item.kind, item.pictures, item.width, item.seconds) == ("audio", (), None, 2.0)
    assert record.route == without(Stage.OCR)
    assert {name: modality.status for name, modality in record.modalities.items()} == {
        "text": Status.OK,
        "ocr": Status.ABSENT,
        "image": Status.ABSENT,
    }


def test_a_video_without_sound_has_no_speech(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(moving("clip", 3))))
    assert record.route == without(Stage.ASR)
    assert record.modalities["speech"] == Modality(status=Status.ABSENT)
    assert "image" not in record.modalities


def test_a_video_whose_sound_is_broken_is_looked_at(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(moving("unheard", 3))))
    assert reason(record, "speech") == "m-1: no sound is well"
    assert pictures(record) == [3]
    assert "image" not in record.modalities
    assert record.route == without(Stage.ASR)


def test_a_video_whose_frames_are_broken_is_listened_to(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(moving("unseen", 0, 1.0)), inline(png("cat"), "m-2")))
    assert reason(record, "image") == reason(record, "ocr") == "m-1: no frame is well"
    assert heard(record) == [1.0, None]
    assert "speech" not in record.modalities
    assert record.route == ROUTE


def test_what_cannot_be_decoded_at_all_fails_all_that_it_may_have(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(moving("broken"))))
    assert reason(record, "speech") == "m-1: it ends too early"
    assert record.route == without(Stage.OCR, Stage.ASR)


def test_frames_count_as_pictures_of_the_post(store: MediaStore) -> None:
    clips = [inline(moving(f"clip {n}", 16, 1.0), f"m-{n}") for n in range(4)]
    record = one(processor(store), record_of(*clips))
    assert sum(pictures(record)) == MAX_PICTURES
    assert min(pictures(record)) >= 1
    assert heard(record) == [1.0] * 4
    assert record.modalities["image"].status is Status.PARTIAL


def test_a_video_that_there_is_no_room_for_is_listened_to(store: MediaStore) -> None:
    stills = [inline(png(f"{n}"), f"p-{n}") for n in range(MAX_PICTURES)]
    record = one(processor(store), record_of(*stills, inline(moving("clip", 4, 1.0), "m-1")))
    assert pictures(record)[-1] == 0
    assert heard(record)[-1] == 1.0
    told = record.modalities["image"].reason
    assert told == "m-1: 0 of its 4 pictures are looked at, since the post has too many"
    assert "speech" not in record.modalities


def test_the_sounds_of_a_post_are_listened_to_for_as_long_as_one_may_last(store: MediaStore) -> None:
    sounds = [inline(moving(f"clip {n}", 0, 4.0), f"m-{n}") for n in range(4)]
    record = one(processor(store, FetchOptions(max_seconds=10)), record_of(*sounds))
    assert heard(record) == [4.0, 4.0, 2.0, None]
    cut = items(record)[2].sound
    assert cut is not None
    assert len(SoundReader(store).read("acme", cut.object)) == 32_000
    assert record.modalities["speech"] == Modality(
        status=Status.PARTIAL,
        reason="m-2: only its first 2 s are listened to, since the post's sounds are too long; "
        "m-3: it is not listened to, since the post's sounds are too long",
    )


def test_the_same_sound_again_is_listened_to_once(store: MediaStore) -> None:
    twice = moving("clip", 0, 4.0)
    record = one(processor(store, FetchOptions(max_seconds=5)), record_of(inline(twice), inline(twice, "m-2")))
    assert heard(record) == [4.0, None]
    assert "speech" not in record.modalities


@pytest.mark.parametrize(("seconds", "long"), [(29.0, False), (31.0, True)])
def test_a_post_whose_media_last_long_together_is_long(store: MediaStore, seconds: float, long: bool) -> None:
    media = [inline(moving("one", 0, seconds)), inline(moving("two", 2, 30.0), "m-2"), inline(png("cat"), "m-3")]
    assert one(processor(store, FetchOptions(long_seconds=60)), record_of(*media)).long is long


class Stuck(Decoder):
    """Decodes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def decode(self, data: bytes, /) -> Decoded:
        self.begun.set()
        await self.go_on.wait()
        return await super().decode(data)


def test_pictures_do_not_wait_for_videos(store: MediaStore) -> None:
    stuck = Stuck()

    @asynccontextmanager
    async def for_pictures(_: FetchOptions) -> AsyncGenerator[Decoder]:
        yield Decoder()

    @asynccontextmanager
    async def for_videos(_: FetchOptions) -> AsyncGenerator[Decoder]:
        yield stuck

    stage = FetchProcessor(store, Known(), FetchOptions(decoders=1), decoder=for_pictures, moving=for_videos)

    async def work() -> tuple[Record, Record]:
        async with stage.session() as handle, asyncio.timeout(60):
            video = asyncio.ensure_future(handle(record_of(inline(moving("clip", 2, 1.0)), post_id="p-0")))
            await stuck.begun.wait()
            picture = await handle(record_of(inline(png("cat"))))
            assert not video.done()
            stuck.go_on.set()
            return picture, await video

    picture, video = run(work())
    assert (pictures(picture), pictures(video)) == ([1], [2])


def test_a_deleted_post_takes_its_sound_with_it(store: MediaStore) -> None:
    stage = processor(store)
    record = one(stage, record_of(inline(moving("clip", 0, 1.0))))
    kept = items(record)[0].sound
    assert isinstance(kept, Sound)
    run(store.forget("p-1"))
    with pytest.raises(MediaMissing):
        SoundReader(store).read("acme", kept.object)


def test_real_files_come_through_real_decoders(store: MediaStore) -> None:
    clip = video([photo(seed, 160, 120) for seed in (1, 2) for _ in range(10)], samples=tone(0.8))
    song = sound(tone(1.0), "mp3")
    broken = sound(tone(1.0), "ogg")[:60]
    record = record_of(inline(clip), inline(song, "m-2"), inline(broken, "m-3"), inline(b"fLaC", "m-4"))

    async def work() -> Record:
        async with FetchProcessor(store, KnownLists([]), FetchOptions(decoders=1)).session() as handle:
            return await handle(record)

    found = run(work())
    assert [(item.kind, item.type, len(item.pictures)) for item in items(found)] == [
        ("video", "video/mp4", 2),
        ("audio", "audio/mpeg", 0),
        ("audio", "audio/ogg", 0),
        ("audio", "audio/flac", 0),
    ]
    assert heard(found) == [pytest.approx(0.8, abs=0.1), pytest.approx(1.0, abs=0.1), None, None]
    first = items(found)[0].sound
    assert first is not None
    samples = SoundReader(store).read("acme", first.object)
    assert np.sqrt(np.square(samples).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)
    assert found.modalities["speech"].status is Status.FAILED
    assert (found.modalities["speech"].reason or "").startswith("m-3: the audio/ogg file ")
    assert "image" not in found.modalities
    assert found.route == ROUTE
