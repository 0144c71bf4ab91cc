"""The pack stage with sound: what is said is a field of the post, read with its other parts, without them, and segment
by segment."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.pack.features import SPEECH_FEATURES, TEXT_FEATURES
from processors.pack.joined_text import join_segments
from processors.pack.processor import MAX_SEGMENT_WINDOWS, PackProcessor
from processors.packs import Pack
from schemas import FieldSpan, PackSection, Record, Status, Window, decode_record, encode_record
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, with_pictures
from tests.spoken import Said, beside, with_sound
from tests.tiny_pack import LANGUAGES, MARKERS, token_ids

SPEECH = (Said("you are all", 0.0, 1.0), Said("scum", 2.0, 3.0))
CAPTION = Shot(("hello world", "good day"))
ASR_MARKER = token_ids(MARKERS, " <{}> ")["asr"]
LANGUAGE_IDS = token_ids(LANGUAGES, " <lang={}> ")


def section(packer: PackProcessor, record: Record) -> PackSection:
    pack = packer.prepare(record).pack
    assert pack is not None
    return pack


def reads(found: PackSection) -> Counter[str]:
    return Counter(window.reads for window in found.windows)


def of(found: PackSection, kind: str) -> list[Window]:
    return [window for window in found.windows if window.reads == kind]


def test_a_recording_without_text_is_read_once_as_a_whole_and_segment_by_segment(packer: PackProcessor) -> None:
    found = section(packer, with_sound(*SPEECH))
    assert reads(found) == {"all": 1, "segment": 2}
    [whole] = of(found, "all")
    assert whole.spans == (FieldSpan("asr", 0, len("you are all\nscum")),)
    assert ASR_MARKER in whole.ids.tolist()
    assert [(w.segment, w.line, w.spans) for w in of(found, "segment")] == [
        (0, None, (FieldSpan("asr", 0, 11),)),
        (1, None, (FieldSpan("asr", 12, 16),)),
    ]


def test_a_post_with_text_lines_and_speech_is_read_together_and_each_part_alone(packer: PackProcessor) -> None:
    found = section(packer, beside(with_pictures(CAPTION, text="the cat"), *SPEECH))
    assert reads(found) == {"all": 1, "text": 1, "ocr": 1, "asr": 1, "line": 2, "segment": 2}
    shown = {w.reads: {span.field for span in w.spans} for w in found.windows}
    assert shown == {
        "all": {"ocr", "asr", "text"},
        "text": {"text"},
        "ocr": {"ocr"},
        "asr": {"asr"},
        "line": {"ocr"},
        "segment": {"asr"},
    }


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(
            with_sound(*SPEECH, text="the cat"), {"all": 1, "text": 1, "asr": 1, "segment": 2}, id="with text"
        ),
        pytest.param(
            beside(with_pictures(CAPTION), *SPEECH), {"all": 1, "ocr": 1, "asr": 1, "line": 2, "segment": 2}, id="lines"
        ),
        pytest.param(with_sound(text="the cat"), {"all": 1}, id="nothing was said"),
        pytest.param(with_sound(Said("you scum")), {"all": 1}, id="one segment"),
    ],
)
def test_only_parts_that_say_something_are_read_and_none_twice(
    packer: PackProcessor, record: Record, expected: dict[str, int]
) -> None:
    assert reads(section(packer, record)) == expected


def test_each_part_alone_reads_as_in_a_post_without_the_others(packer: PackProcessor) -> None:
    beside_others = section(packer, beside(with_pictures(CAPTION, text="the cat"), *SPEECH))
    text = section(packer, ingested(received(post_of("the cat"))))
    lines, speech = section(packer, with_pictures(CAPTION)), section(packer, with_sound(*SPEECH))
    for alone, part in ((text, "text"), (lines, "ocr"), (speech, "asr")):
        assert [w.ids.tolist() for w in of(beside_others, part)] == [w.ids.tolist() for w in of(alone, "all")]


def test_what_is_not_to_be_trusted_is_not_read(packer: PackProcessor) -> None:
    phantom = Said("thanks for watching", 5.0, 6.0, unsafe="phantom")
    assert section(packer, with_sound(*SPEECH, phantom)).windows[0].spans == (FieldSpan("asr", 0, 16),)
    assert section(packer, with_sound(phantom)).windows == ()


def test_segments_of_several_sounds_are_one_text_in_their_order(packer: PackProcessor) -> None:
    record = beside(with_sound(Said("hello", 8.0, 9.0)), Said("world", 0.0, 1.0), media_id="s-2")
    assert join_segments(record.asr).text == "hello\nworld"
    assert [w.segment for w in of(section(packer, record), "segment")] == [0, 1]


def test_of_many_segments_the_longest_have_windows_of_their_own(packer: PackProcessor) -> None:
    said = [Said("the cat sat")] * 3 + [Said("hello world good day")] * MAX_SEGMENT_WINDOWS
    found = section(packer, with_sound(*said))
    assert [w.segment for w in of(found, "segment")] == list(range(3, 3 + MAX_SEGMENT_WINDOWS))


def test_a_segment_that_does_not_fit_into_a_window_is_left_to_those_over_the_whole(packer: PackProcessor) -> None:
    found = section(packer, with_sound(Said("the cat sat on the mat . " * 4), Said("hello")))
    assert [w.segment for w in of(found, "segment")] == [1]
    assert reads(found)["all"] > 1


@pytest.mark.parametrize(
    ("text", "lang", "told", "expected"),
    [
        pytest.param("hello world", "en", "de", {"all": "en", "text": "en", "asr": "de", "segment": "de"}, id="both"),
        pytest.param(None, "und", "de", {"all": "de", "segment": "de"}, id="speech only"),
        pytest.param("hello", "de", None, {"all": "de", "text": "de", "asr": "de", "segment": "de"}, id="untold"),
    ],
)
def test_speech_is_read_in_its_own_language(
    packer: PackProcessor, text: str | None, lang: str, told: str | None, expected: dict[str, str]
) -> None:
    found = section(packer, with_sound(*SPEECH, text=text, lang=lang, told=told))
    assert {w.reads: w.ids[1] for w in found.windows} == {name: LANGUAGE_IDS[code] for name, code in expected.items()}


def test_a_post_without_text_has_the_language_of_its_lines_before_that_of_its_speech(packer: PackProcessor) -> None:
    both = section(packer, beside(with_pictures(CAPTION, lang="und", told="de"), *SPEECH, told="en"))
    assert {w.reads: w.ids[1] for w in both.windows} == {
        name: LANGUAGE_IDS[code]
        for name, code in {"all": "de", "ocr": "de", "line": "de", "asr": "en", "segment": "en"}.items()
    }
    untold = section(packer, beside(with_pictures(CAPTION, lang="und", told=None), *SPEECH, told="en"))
    assert {int(w.ids[1]) for w in untold.windows} == {LANGUAGE_IDS["en"]}


def test_speech_beyond_the_limit_of_windows_is_unread_and_no_other_part_is_blamed(packer: PackProcessor) -> None:
    said = [Said("the cat sat on the mat .")] * 40
    record = packer.prepare(beside(with_pictures(CAPTION, text="hello world"), *said))
    assert record.pack is not None
    assert record.pack.unread == ("asr",)
    assert set(record.modalities) == {"speech"}
    assert record.modalities["speech"].status is Status.PARTIAL
    assert "the limit of 6 windows left something unread in: asr" in (record.modalities["speech"].reason or "")


def test_speech_beyond_the_limit_of_characters_is_cut(pack: Pack) -> None:
    record = PackProcessor(pack, max_text_chars=11).prepare(with_sound(*SPEECH))
    assert record.pack is not None
    assert record.pack.windows[0].spans == (FieldSpan("asr", 0, 11),)
    assert record.modalities["speech"].reason == "asr has 16 code points, of which the first 11 were read"


def test_letters_that_the_vocabulary_lacks_make_the_speech_partial(packer: PackProcessor) -> None:
    record = packer.prepare(with_sound(Said("漢字漢字"), text="hello world"))
    assert record.modalities["speech"].status is Status.PARTIAL
    assert "text" not in record.modalities


def test_speech_features_speak_of_what_can_be_trusted_weighed_by_its_seconds(packer: PackProcessor) -> None:
    said = (
        Said("HELLO you", 0.0, 3.0, confidence=0.8),
        Said("漢字", 4.0, 5.0, confidence=0.4),
        Said("thanks for watching", 6.0, 7.0, confidence=1.0, unsafe="phantom"),
    )
    found = section(packer, with_sound(*said, text="good day"))
    assert (found.features["letters"], found.features["uppercase_share"]) == (7.0, 0.0)
    assert {name: found.features[name] for name in SPEECH_FEATURES} == {
        "asr_segments": 2.0,
        "asr_seconds": 5.0,
        "asr_chars": 12.0,
        "asr_letters": 10.0,
        "asr_unknown_share": 0.2,
        "asr_confidence": round((0.8 * 3 + 0.4) / 4, 3),
        "asr_unsafe_ratio": 0.2,
    }


def test_a_segment_without_length_counts_and_divides_by_nothing(packer: PackProcessor) -> None:
    features = section(packer, with_sound(Said("hello", 1.0, 1.0, confidence=0.7))).features
    assert (features["asr_confidence"], features["asr_unsafe_ratio"]) == (0.7, 0.0)


def test_a_sound_in_which_nothing_was_said_has_features_of_nothing(packer: PackProcessor) -> None:
    features = section(packer, with_sound()).features
    assert {features[name] for name in SPEECH_FEATURES} == {0.0}


def test_a_post_without_sound_has_no_speech_features(packer: PackProcessor) -> None:
    assert tuple(section(packer, ingested(received(post_of("hello")))).features) == TEXT_FEATURES


def test_speech_costs_as_many_tokens_as_a_text_of_its_length(packer: PackProcessor) -> None:
    said = with_sound(Said("the cat sat on the mat"))
    assert packer.cost(said) == packer.cost(ingested(received(post_of("the cat sat on the mat")))) > 0


words = st.sampled_from(["you", "are", "scum", "@some_one", "https://x.org/y", "😀", "漢字", "ﬁ", "é", "v3rm1n", ""])
pieces = st.lists(st.lists(words, max_size=6).map(" ".join), max_size=6)


@given(pieces, pieces, st.lists(words, max_size=8))
def test_whatever_is_said_the_spans_lie_in_the_segments_and_each_segments_window_in_its_own(
    packer: PackProcessor, said: list[str], lines: list[str], text: list[str]
) -> None:
    record = beside(with_pictures(Shot(lines), text=" ".join(text) or None), *map(Said, said))
    again = decode_record(encode_record(packer.prepare(record)))
    assert again.pack is not None
    joined = join_segments(record.asr)
    assert [joined.text[start:end] for start, end in joined.places] == said
    for window in again.pack.windows:
        assert 0 < len(window.ids) <= 24
        for span in window.spans:
            if span.field == "asr":
                assert 0 <= span.start <= span.end <= len(joined.text)
        assert (window.segment is not None) == (window.reads == "segment")
        assert (window.line is not None) == (window.reads == "line")
        if window.segment is not None:
            start, end = joined.places[window.segment]
            [span] = window.spans
            assert start < span.end <= end
