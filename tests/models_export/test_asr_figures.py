from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from models_export.evaluation.asr_suite import (
    Hearing,
    Report,
    Runs,
    encode_prediction,
    fetch_all,
    hear_all,
    page_of,
    report_of,
)
from models_export.evaluation.asr_suite.baseline import Baseline
from models_export.evaluation.asr_suite.figures import figures_of, overlap, times_of, worst
from models_export.evaluation.asr_suite.hearing import CHUNK, compared, hearing_of
from models_export.evaluation.asr_suite.samples import Clip, Spoken, spoken
from models_export.evaluation.labelled_media import Found, record_of
from models_export.measures.bootstrap import Estimate
from processors.contract import BatchPolicy, Outcome, ProcessingError
from schemas import AsrSection, AsrSegment, AsrSound, AsrWord, FetchSection, Modality, Record, Sound, Stage, Status
from schemas.sections import FetchedMedia

OBJECT = "0" * 64
SECONDS = 10.0


def clip(name: str, said: str | None = None, *, kind: str = "speech", lang: str | None = "en", part: str = "p") -> Clip:
    return Clip(name, Path("/data") / name, part, "audio", kind, lang, said, spoken(kind))


def segment(text: str, start: float = 1.0, end: float = 3.0, unsafe: str | None = None) -> AsrSegment:
    return AsrSegment(text=text, t_start=start, t_end=end, confidence=0.8, unsafe=unsafe)


def with_sound(record: Record) -> Record:
    media = FetchedMedia(
        media_id="clip",
        kind="audio",
        type="audio/wav",
        sha256=OBJECT,
        md5="",
        bytes=1,
        seconds=SECONDS,
        sound=Sound(object=OBJECT, seconds=SECONDS),
    )
    return replace(record, fetch=FetchSection(media=(media,)))


def hear(of: Clip, *segments: AsrSegment | str, lang: str | None = "en", status: Status = Status.OK) -> Hearing:
    """What the suite makes of a clip in which the stage heard these segments, or one of this text."""
    heard = [segment(text) if isinstance(text, str) else text for text in segments]
    trusted = tuple(text for text in heard if text.unsafe is None)
    sound = AsrSound(
        media_id="clip",
        object=OBJECT,
        speech_seconds=4.0 if heard else 0.0,
        segments=trusted,
        unsafe=tuple(text for text in heard if text.unsafe is not None),
        confidence=0.8 if trusted else None,
        lang=lang,
    )
    record = with_sound(record_of(of, 0, media_id="clip", kind="audio", route=(Stage.ASR,)))
    section = AsrSection(sounds=(sound,), lang=lang, engine="cpu int8")
    return hearing_of(of, replace(record, asr=section, modalities={"speech": Modality(status=status)}))


def runs(
    default: Sequence[Hearing], always: Sequence[Hearing] | None = None, other: Mapping[str, str] | None = None
) -> Runs:
    """`other`: clip -> what faster-whisper hears, the same as the stage where it is not said."""
    texts = {of.clip.id: of.text for of in default} | dict(other or {})
    baseline = [Baseline(of.clip, text, compared(of.clip, text)) for of in default for text in [texts[of.clip.id]]]
    return Runs(default, always or default, baseline, fetch_s=1.0, default_s=2.0, always_s=3.0, baseline_s=4.0)


def report(of: Runs) -> Report:
    clips = tuple(hearing.clip for hearing in of.default)
    return report_of(Found(clips, (), ()), of, code="1", pack="tiny@0")


class Ears:
    """An ASR stage that hears in each clip what it is told, by the name of its file."""

    stage = Stage.ASR
    batching = BatchPolicy(max_items=3, max_cost=1_000, max_wait_s=0)

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def cost(self, record: Record) -> int:
        return 1

    def prepare(self, record: Record) -> Record:
        return record

    def process(self, batch: Sequence[Record]) -> list[Outcome]:
        return [self._hear(record) for record in batch]

    def _hear(self, record: Record) -> Outcome:
        name = Path(record.post.media[0].uri or "").name
        if name == "broken.wav":
            return ProcessingError("cause", "no sound")
        sound = AsrSound(media_id="clip", object=OBJECT, segments=(segment(self._texts[name]),))
        return replace(record, asr=AsrSection(sounds=(sound,)))


class Fetching(Ears):
    """A stage that fetches ten seconds of sound of everything."""

    stage = Stage.FETCH

    def _hear(self, record: Record) -> Outcome:
        return with_sound(record)


def test_words_are_right_however_they_are_written_down() -> None:
    figures = figures_of([hear(clip("a", "FOUR QUEEN OF CLUBS"), "4 queen of clubs.")])
    assert figures.wer == figures.cer == Estimate(0.0, 0.0, 0.0)
    assert figures.words == 4


def test_a_wrong_a_missing_and_an_added_word_count_one_each() -> None:
    figures = figures_of([hear(clip("a", "the thin stripe runs down"), "a thin stripe down there")])
    assert figures.wer.value == pytest.approx(3 / 5)


def test_japanese_counts_by_letters_alone() -> None:
    figures = figures_of([hear(clip("a", "客観的実在", lang="ja"), "客観的 実存。", lang="ja")])
    assert figures.wer == Estimate()
    assert figures.cer.value == pytest.approx(1 / 5)


def test_what_is_not_trusted_was_not_heard_but_for_the_rate_of_all() -> None:
    heard = hear(clip("a", "ten of clubs"), "ten", segment("of clubs", 3, 5, unsafe="repetition"))
    figures = figures_of([heard])
    assert figures.wer.value == pytest.approx(2 / 3)
    assert figures.wer_of_all.value == 0.0
    assert figures.unsafe_segments.value == figures.unsafe_seconds.value == 0.5
    assert figures.covered.value == 1.0


def test_a_clip_that_failed_counts_as_heard_empty() -> None:
    failed = hearing_of(clip("a", "four words are here"), ProcessingError("cause", "no sound"))
    figures = figures_of([failed])
    assert (failed.status, failed.reason) == (Status.FAILED, "no sound")
    assert figures.wer.value == figures.unheard.value == figures.failed.value == 1.0


def test_the_language_counts_where_it_is_known_and_somebody_speaks() -> None:
    clips = [clip("a"), clip("b", lang="de"), clip("c", lang=None), clip("d", kind="music", lang=None)]
    figures = figures_of([hear(of, "word") for of in clips])
    assert figures.language.value == 0.5


def test_words_in_clips_without_speech_are_counted_and_shown() -> None:
    music, noise = clip("music", kind="music", lang=None), clip("noise", kind="noise", lang=None)
    found = report(runs([hear(music, "Thank you."), hear(noise, segment("Bye.", unsafe="phantom"))])).speechless
    assert (found.clips, found.words, found.with_words.value) == (2, 2, 0.5)
    assert [(problem.id, problem.reason) for problem in found.examples] == [("music", "Thank you.")]
    assert [(problem.id, problem.reason) for problem in found.withheld] == [("noise", "phantom: Bye.")]
    assert found.by_kind == {"music": 1, "noise": 1}


def test_punctuation_alone_is_no_word() -> None:
    assert report(runs([hear(clip("music", kind="music"), "...", "♪")])).speechless.words == 0


def test_phantoms_that_only_the_full_check_finds_are_missed_by_default() -> None:
    spoken_clip = clip("a", "good morning")
    seen = segment("you", 5, 6, unsafe="phantom")
    default = [hear(spoken_clip, segment("good morning", 1, 3), segment("thanks", 7, 8), seen)]
    always = [hear(spoken_clip, segment("good morning", 1, 3), segment("thanks", 7.1, 8, unsafe="phantom"), seen)]
    found = report(runs(default, always)).always
    assert found.phantoms == 2
    assert [problem.reason for problem in found.missed] == ["thanks"]
    assert [problem.id for problem in found.different] == ["a"]


def test_segments_overlap_by_the_shorter_of_them() -> None:
    assert overlap(segment("a", 0, 10), segment("b", 9, 11)) == 0.5
    assert overlap(segment("a", 0, 1), segment("b", 2, 3)) == 0.0
    assert overlap(segment("a", 1, 1), segment("b", 0, 3)) == 0.0


def test_times_out_of_the_sound_or_out_of_order_are_named() -> None:
    word = AsrWord("w", 0.0, 0.5, 0.9)
    segments = [segment("fine", 0, 2), segment("late", 9, 10.5), segment("back", 1, 2)]
    found = times_of([hear(clip("a"), *segments, replace(segment("loose", 3, 4), words=(word,)))])
    assert (found.segments, found.words) == (4, 1)
    assert [problem.reason.split(": ")[1] for problem in found.outside] == ["late", "back", "w"]


def test_mixed_speech_stands_apart_from_recordings() -> None:
    mixed = clip("made/a", "good morning", kind="speech in noise", part="made")
    mixed = Clip(mixed.id, mixed.path, "made", "audio", mixed.kind, "en", mixed.transcript, Spoken.YES)
    found = report(runs([hear(clip("a", "good morning"), "good morning"), hear(mixed, "could moaning")]))
    assert found.speech.wer.value == found.by_lang["en"].wer.value == 0.0
    assert found.mixed["speech in noise"].wer.value == 1.0
    assert found.faster_whisper.wer.value == found.always.wer.value == 0.0


def test_the_other_reader_is_judged_alike() -> None:
    clips = [hear(clip("a", "good morning"), "good morning"), hear(clip("hiss", kind="noise", lang=None))]
    found = report(runs(clips, other={"a": "good evening", "hiss": "Thanks for watching!"})).faster_whisper
    assert found.wer.value == found.wer_by_lang["en"].value == 0.5
    assert (found.speechless_words, found.speechless_with_words.value) == (3, 1.0)


def test_the_speed_is_that_of_the_stage() -> None:
    speed = report(runs([hear(clip("a", "hi"), "hi"), hear(clip("b", "hi"), "hi")])).speed
    assert (speed.sound_s, speed.times_real) == (2 * SECONDS, SECONDS)


def test_clips_go_through_both_stages_in_parts() -> None:
    clips = [clip(f"{number}.wav", "hello") for number in range(CHUNK)] + [clip("broken.wav", "hello")]
    told: list[int] = []
    fetched, _ = fetch_all(Fetching({}), clips, told.append)
    heard, seconds = hear_all(Ears({of.id: "hello" for of in clips}), clips, fetched, told.append)
    assert told == [CHUNK, CHUNK + 1] * 2
    assert [of.status for of in heard] == [Status.OK] * CHUNK + [Status.FAILED]
    assert {of.seconds for of in heard[:-1]} == {SECONDS}
    assert figures_of(heard).wer.value == pytest.approx(1 / (CHUNK + 1))
    assert seconds > 0


def test_the_worst_come_first_and_those_without_errors_do_not_come() -> None:
    heard = [hear(clip(name, "one two"), text) for name, text in (("a", "one two"), ("b", "three four"), ("c", "one"))]
    assert [of.clip.id for of in worst(heard, 5)] == ["b", "c"]


def test_a_prediction_holds_what_each_has_heard() -> None:
    heard = hear(clip("a", "客観", lang="ja"), "客体", lang="ja")
    line = json.loads(encode_prediction(heard, hear(heard.clip), Baseline(heard.clip, "other", None)))
    assert (line["transcript"], line["heard"], line["always"], line["faster_whisper"]) == ("客観", "客体", "", "other")
    assert line["error_rate"] == 0.5
    assert line["segments"][0]["t_end"] == 3.0


class Tags(HTMLParser):
    """Counts tags, and collects the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_words_as_text_whatever_they_are() -> None:
    of = runs([hear(clip("a", "hello"), "<script>alert(1)</script>"), hear(clip("b", kind="music"), "<img src=x>")])
    page = Tags()
    page.feed(page_of(report(of), of))
    assert {"script", "img"}.isdisjoint(page.tags)
    assert "<script>alert(1)</script>" in page.text
    assert "Words trusted: 3" in page.text


def test_the_report_is_json_and_can_be_read_back() -> None:
    found = report(runs([hear(clip("a", "hello"), "hello"), hear(clip("b", kind="music", lang=None))]))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found
