"""The `asr` stage: what it adds to records, and what becomes of sounds that cannot be heard."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.asr import AsrOptions, AsrProcessor
from processors.asr.chunks import RATE
from processors.asr.gates import normalised
from processors.asr.listener import Listener
from processors.asr.whisper import Whisper
from processors.contract import TransientError
from processors.isolation import run_batch
from processors.media.store import MediaMissing, StoreAway
from processors.packs import Pack
from processors.reading_cache import CacheStatistics
from schemas import AsrSection, FetchedMedia, FetchSection, Modality, Record, Sound, Status
from schemas.record import decode_record, encode_record
from tests.ingested import post_of, received

Samples = NDArray[np.float32]
WORDS = "ask what you can do for your country"


class Shelf:
    """Sounds by their address."""

    def __init__(self) -> None:
        self.sounds: dict[str, Samples] = {}
        self.away = False
        self.reads = 0

    def add(self, samples: Samples, *, t: float = 0.0) -> Sound:
        address = hashlib.sha256(samples.tobytes()).hexdigest()
        self.sounds[address] = samples
        return Sound(object=address, seconds=len(samples) / RATE, t=t)

    def read(self, tenant: str, object: str, /) -> Samples:  # noqa: A002
        self.reads += 1
        if self.away:
            raise StoreAway("no route")
        if object not in self.sounds:
            raise MediaMissing(f"no object {object[:8]}")
        return self.sounds[object]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def processor(whisper: Whisper, listener: Listener, shelf: Shelf) -> AsrProcessor:
    return AsrProcessor(whisper, listener, shelf, AsrOptions())


def record_with(*sounds: Sound, post_id: str = "p-1") -> Record:
    media = tuple(
        FetchedMedia(
            media_id=f"m{at}", kind="audio", type="audio/ogg", sha256=f"{at:064}", md5="0" * 32, bytes=9, sound=sound
        )
        for at, sound in enumerate(sounds, 1)
    )
    return replace(received(post_of("hi", post_id=post_id)), fetch=FetchSection(media=media))


def heard(processor: AsrProcessor, *records: Record) -> list[Record]:
    outcomes = processor.process([processor.prepare(record) for record in records])
    assert all(isinstance(outcome, Record) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


def section(record: Record) -> AsrSection:
    assert record.asr is not None
    return record.asr


def words_of(record: Record) -> list[str]:
    return [normalised(" ".join(segment.text for segment in sound.segments)) for sound in section(record).sounds]


def test_a_post_gets_what_is_said_in_its_sounds(processor: AsrProcessor, shelf: Shelf, speech: Samples) -> None:
    (record,) = heard(processor, record_with(shelf.add(speech)))
    found = section(record)
    assert words_of(record) == [WORDS]
    assert (found.lang, found.engine) == ("en", "cpu int8_float32")
    assert found.lang_confidence > 0.8
    (sound,) = found.sounds
    assert (sound.media_id, sound.unsafe, sound.unsafe_ratio, sound.lang) == ("m1", (), 0.0, "en")
    assert sound.speech_seconds == pytest.approx(3.3, abs=0.3)
    assert sound.confidence is not None
    assert sound.confidence > 0.7
    for segment in sound.segments:
        assert segment.text == " ".join(word.text for word in segment.words)
        assert segment.t_start == segment.words[0].t_start
    assert record.modalities["speech"] == Modality(status=Status.OK, confidence=sound.confidence)
    assert decode_record(encode_record(record)) == record


def test_times_are_those_of_the_media_item(processor: AsrProcessor, shelf: Shelf, speech: Samples) -> None:
    now, later = heard(
        processor, record_with(shelf.add(speech)), record_with(replace(shelf.add(speech), t=7.5), post_id="p-2")
    )
    ((first, *_),) = [sound.segments for sound in section(now).sounds]
    ((moved, *_),) = [sound.segments for sound in section(later).sounds]
    assert moved.t_start == pytest.approx(first.t_start + 7.5)
    assert moved.words[-1].t_end == pytest.approx(first.words[-1].t_end + 7.5)


def test_a_silent_sound_is_heard_and_says_nothing(processor: AsrProcessor, shelf: Shelf) -> None:
    (record,) = heard(processor, record_with(shelf.add(np.zeros(RATE, np.float32))))
    (sound,) = section(record).sounds
    assert (sound.segments, sound.unsafe, sound.speech_seconds, sound.lang) == ((), (), 0.0, None)
    assert section(record).lang is None
    assert record.modalities["speech"] == Modality(status=Status.OK)


def test_a_record_without_sounds_passes_untouched(processor: AsrProcessor) -> None:
    record = received(post_of("hi"))
    assert heard(processor, record) == [record]
    assert processor.cost(record) == 0


def test_all_sounds_of_a_post_are_heard_in_the_language_of_the_one_with_most_speech(
    processor: AsrProcessor, shelf: Shelf, speech: Samples
) -> None:
    short, long = shelf.add(speech), shelf.add(np.concatenate([speech, speech]))
    (record,) = heard(processor, record_with(short, long))
    assert [sound.lang for sound in section(record).sounds] == ["en", "en"]
    assert words_of(record) == [WORDS, f"{WORDS} {WORDS}"]
    confidences = {sound.lang_confidence for sound in section(record).sounds}
    assert confidences == {section(record).lang_confidence}


def test_cost_is_counted_in_windows(processor: AsrProcessor) -> None:
    sounds = [Sound(object=f"{at:064}", seconds=seconds) for at, seconds in enumerate((0.0, 30.0, 31.0))]
    assert processor.cost(record_with(*sounds)) == 1 + 1 + 2


def test_a_sound_posted_again_is_not_heard_again(processor: AsrProcessor, shelf: Shelf, speech: Samples) -> None:
    sound = shelf.add(speech)
    first, twin = heard(processor, record_with(sound), record_with(sound, post_id="p-2"))
    ran, reads = processor.engines(), shelf.reads
    (again,) = heard(processor, record_with(sound, post_id="p-3"))
    assert section(first) == section(twin) == section(again)
    assert (processor.engines(), shelf.reads) == (ran, reads)
    assert processor.cache_statistics == CacheStatistics(hits=1, misses=2)


def test_a_sound_that_is_gone_fails_its_modality_and_no_other_sound(
    processor: AsrProcessor, shelf: Shelf, speech: Samples
) -> None:
    (record,) = heard(processor, record_with(Sound(object="f" * 64, seconds=3.0), shelf.add(speech)))
    said = record.modalities["speech"]
    assert said.status is Status.FAILED
    assert said.reason == "m1: the sound cannot be read: no object ffffffff"
    assert [sound.media_id for sound in section(record).sounds] == ["m2"]
    assert words_of(record) == [WORDS]


def test_when_every_sound_is_gone_the_post_goes_on(processor: AsrProcessor) -> None:
    (record,) = heard(processor, record_with(Sound(object="f" * 64, seconds=3.0)))
    assert section(record).sounds == ()
    assert record.modalities["speech"].status is Status.FAILED


def test_a_store_that_is_away_is_tried_again(processor: AsrProcessor, shelf: Shelf, speech: Samples) -> None:
    sound = shelf.add(speech)
    shelf.away = True
    with pytest.raises(TransientError):
        processor.prepare(record_with(sound))


def test_what_earlier_stages_said_is_not_weakened(processor: AsrProcessor, shelf: Shelf, speech: Samples) -> None:
    before = Modality(status=Status.PARTIAL, reason="m1: cut at 600 s")
    record = replace(record_with(shelf.add(speech)), modalities={"speech": before})
    said = heard(processor, record)[0].modalities["speech"]
    assert (said.status, said.reason) == (Status.PARTIAL, "m1: cut at 600 s")


def test_damaged_samples_do_not_hurt_the_posts_beside_them(
    processor: AsrProcessor, shelf: Shelf, speech: Samples
) -> None:
    bad = [np.full(RATE, np.nan, np.float32), np.zeros(0, np.float32)]
    records = [record_with(shelf.add(sound), post_id=f"p-{at}") for at, sound in enumerate([*bad, speech])]
    outcomes = run_batch(processor, records)
    assert [words_of(outcome) for outcome in outcomes if isinstance(outcome, Record)] == [[""], [""], [WORDS]]


def test_the_stage_of_the_shipped_pack_hears(embedded: Pack, shelf: Shelf, speech: Samples) -> None:
    processor = AsrProcessor.of(embedded, shelf, threads=1)
    (record,) = heard(processor, record_with(shelf.add(speech)))
    assert words_of(record) == [WORDS]
    assert list(processor.engines()) == ["speech_encoder", "speech_decoder"]
