"""The pack stage with pictures: their lines are a field of the post, read with its text, without it, and one by one."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.pack.features import PICTURE_FEATURES, TEXT_FEATURES
from processors.pack.processor import MAX_LINE_WINDOWS, PackProcessor
from processors.packs import Pack
from schemas import FieldSpan, PackSection, Record, Status, Window, decode_record, encode_record
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, with_pictures
from tests.tiny_pack import LANGUAGES, MARKERS, token_ids

CAPTION = ("you are all", "scum")
OCR_MARKER = token_ids(MARKERS, " <{}> ")["ocr"]
LANGUAGE_IDS = token_ids(LANGUAGES, " <lang={}> ")


def section(packer: PackProcessor, record: Record) -> PackSection:
    pack = packer.prepare(record).pack
    assert pack is not None
    return pack


def reads(found: PackSection) -> Counter[str]:
    return Counter(window.reads for window in found.windows)


def of(found: PackSection, kind: str) -> list[Window]:
    return [window for window in found.windows if window.reads == kind]


def test_a_picture_post_without_text_is_read_once_as_a_whole_and_line_by_line(packer: PackProcessor) -> None:
    found = section(packer, with_pictures(Shot(CAPTION)))
    assert reads(found) == {"all": 1, "line": 2}
    [whole] = of(found, "all")
    assert whole.spans == (FieldSpan("ocr", 0, len("you are all\nscum")),)
    assert OCR_MARKER in whole.ids.tolist()


def test_a_post_with_text_and_lines_is_read_together_and_apart(packer: PackProcessor) -> None:
    found = section(packer, with_pictures(Shot(CAPTION), text="hello world"))
    assert reads(found) == {"all": 1, "text": 1, "ocr": 1, "line": 2}
    assert {span.field for span in of(found, "all")[0].spans} == {"ocr", "text"}
    assert {span.field for span in of(found, "text")[0].spans} == {"text"}
    assert {span.field for span in of(found, "ocr")[0].spans} == {"ocr"}


def test_the_text_alone_reads_as_in_a_post_without_pictures(packer: PackProcessor) -> None:
    alone = section(packer, ingested(received(post_of("hello world", title="good day"))))
    beside = section(packer, with_pictures(Shot(CAPTION), text="hello world", title="good day"))
    assert [w.ids.tolist() for w in of(beside, "text")] == [w.ids.tolist() for w in alone.windows]


def test_of_what_does_not_fit_together_nothing_is_read_twice(packer: PackProcessor) -> None:
    long = "the cat sat on the mat . " * 5
    found = section(packer, with_pictures(Shot(CAPTION), text=long))
    alone = section(packer, ingested(received(post_of(long))))
    assert len(of(found, "text")) == len(alone.windows) > 2
    [mixed] = of(found, "all")
    assert {span.field for span in mixed.spans} == {"ocr", "text"}


def test_a_single_line_has_no_window_of_its_own(packer: PackProcessor) -> None:
    assert reads(section(packer, with_pictures(Shot(["you are all"])))) == {"all": 1}


def test_a_lines_window_shows_that_line_and_says_which(packer: PackProcessor) -> None:
    found = section(packer, with_pictures(Shot(["hello world"], media_id="m-1"), Shot(["good day"], media_id="m-2")))
    assert [(w.line, w.spans) for w in of(found, "line")] == [
        (0, (FieldSpan("ocr", 0, 11),)),
        (1, (FieldSpan("ocr", 12, 20),)),
    ]


def test_a_line_that_stands_in_frame_after_frame_is_read_once(packer: PackProcessor) -> None:
    frames = [Shot(CAPTION, t=float(at)) for at in range(5)]
    found = section(packer, with_pictures(*frames))
    assert reads(found) == {"all": 1, "line": 2}
    assert of(found, "all")[0].spans == (FieldSpan("ocr", 0, len("you are all\nscum")),)
    assert found.features["ocr_lines"] == 2.0


def test_two_stills_that_say_the_same_are_both_read(packer: PackProcessor) -> None:
    found = section(packer, with_pictures(Shot(["hello world"], "m-1"), Shot(["hello world"], "m-2")))
    assert of(found, "all")[0].spans[0].end == len("hello world\nhello world")


def test_of_many_lines_the_longest_have_windows_of_their_own(packer: PackProcessor) -> None:
    lines = ["the cat sat"] * 3 + ["hello world good day"] * MAX_LINE_WINDOWS
    found = section(packer, with_pictures(Shot(lines)))
    assert [w.line for w in of(found, "line")] == list(range(3, 3 + MAX_LINE_WINDOWS))


def test_lines_without_letters_have_no_window_of_their_own(packer: PackProcessor) -> None:
    assert [w.line for w in of(section(packer, with_pictures(Shot(["hello", "!!!", "day"]))), "line")] == [0, 2]


@pytest.mark.parametrize("lines", [(), ("",), (" ", "\u200b")])
def test_pictures_that_show_no_words_have_no_windows(packer: PackProcessor, lines: tuple[str, ...]) -> None:
    found = section(packer, with_pictures(Shot(lines)))
    assert found.windows == ()
    assert found.features["pictures"] == 1.0


def test_a_disguised_line_is_read_in_both_views(packer: PackProcessor) -> None:
    found = section(packer, with_pictures(Shot(["you are", "v3rm1n"])))
    assert {w.view for w in of(found, "all")} == {"text", "folded"}
    assert [(w.line, w.view) for w in of(found, "line")] == [(0, "text"), (1, "text"), (1, "folded")]
    assert found.features["disguised"] == 0.0


@pytest.mark.parametrize(
    ("text", "lang", "told", "expected"),
    [
        pytest.param("hello world", "en", "de", {"all": "en", "text": "en", "ocr": "de", "line": "de"}, id="both"),
        pytest.param(None, "und", "de", {"all": "de", "line": "de"}, id="lines only"),
        pytest.param(None, "en", None, {"all": "en", "line": "en"}, id="named by the producer, lines too few to tell"),
        pytest.param("hello", "de", None, {"all": "de", "text": "de", "ocr": "de", "line": "de"}, id="lines untold"),
    ],
)
def test_each_part_is_read_in_its_own_language(
    packer: PackProcessor, text: str | None, lang: str, told: str | None, expected: dict[str, str]
) -> None:
    found = section(packer, with_pictures(Shot(CAPTION), text=text, lang=lang, told=told))
    assert {w.reads: w.ids[1] for w in found.windows} == {name: LANGUAGE_IDS[code] for name, code in expected.items()}


def test_lines_beyond_the_limit_of_windows_are_unread_and_the_text_is_not_blamed(packer: PackProcessor) -> None:
    record = packer.prepare(with_pictures(Shot(["the cat sat on the mat ."] * 40), text="hello world"))
    assert record.pack is not None
    assert record.pack.unread == ("ocr",)
    assert record.modalities["ocr"].status is Status.PARTIAL
    assert "the limit of 6 windows" in (record.modalities["ocr"].reason or "")
    assert "text" not in record.modalities


def test_a_long_text_does_not_make_the_lines_partial(packer: PackProcessor) -> None:
    record = packer.prepare(with_pictures(Shot(CAPTION), text="the cat sat on the mat . " * 40))
    assert record.modalities["text"].status is Status.PARTIAL
    assert "ocr" not in record.modalities


def test_lines_beyond_the_limit_of_characters_are_cut(pack: Pack) -> None:
    record = PackProcessor(pack, max_text_chars=11).prepare(with_pictures(Shot(CAPTION)))
    assert record.pack is not None
    assert record.pack.windows[0].spans == (FieldSpan("ocr", 0, 11),)
    assert record.modalities["ocr"].reason == "ocr has 16 code points, of which the first 11 were read"


def test_letters_that_the_vocabulary_lacks_make_the_lines_partial(packer: PackProcessor) -> None:
    record = packer.prepare(with_pictures(Shot(["漢字漢字"]), text="hello world"))
    assert record.modalities["ocr"].status is Status.PARTIAL
    assert "text" not in record.modalities


def test_picture_features_speak_of_pictures_and_text_features_of_the_text(packer: PackProcessor) -> None:
    shots = (Shot(["HELLO", "you"], confidence=0.8, unread=2), Shot(["cat"], "m-2", confidence=0.5, coverage=0.5))
    found = section(packer, with_pictures(*shots, text="good day"))
    assert tuple(found.features) == (*TEXT_FEATURES, *PICTURE_FEATURES)
    assert (found.features["letters"], found.features["uppercase_share"]) == (7.0, 0.0)
    assert {name: found.features[name] for name in PICTURE_FEATURES} == {
        "pictures": 2.0,
        "ocr_lines": 3.0,
        "ocr_unread_lines": 2.0,
        "ocr_chars": 13.0,
        "ocr_letters": 11.0,
        "ocr_unknown_share": 0.0,
        "ocr_confidence": round((0.8 * 8 + 0.5 * 3) / 11, 3),
        "ocr_coverage": 0.5,
    }


def test_a_post_without_pictures_has_no_picture_features(packer: PackProcessor) -> None:
    assert tuple(section(packer, ingested(received(post_of("hello")))).features) == TEXT_FEATURES


words = st.sampled_from(
    ["you", "are", "scum", "the", "@some_one", "https://x.org/y", "😀", "漢字", "ﬁ", "é", "v3rm1n", ""]
)
lines = st.lists(st.lists(words, max_size=6).map(" ".join), max_size=8)


@given(lines, lines, st.lists(words, max_size=12))
def test_whatever_is_written_the_spans_lie_in_the_lines_and_each_line_window_in_its_line(
    packer: PackProcessor, first: list[str], second: list[str], text: list[str]
) -> None:
    record = with_pictures(Shot(first), Shot(second, "m-2"), text=" ".join(text) or None)
    again = decode_record(encode_record(packer.prepare(record)))
    assert again.pack is not None
    joined = "\n".join([*first, *second])
    starts = [sum(len(line) + 1 for line in [*first, *second][:at]) for at in range(len(first) + len(second))]
    for window in again.pack.windows:
        assert 0 < len(window.ids) <= 24
        for span in window.spans:
            if span.field == "ocr":
                assert 0 <= span.start <= span.end <= len(joined)
        if window.reads == "line":
            assert window.line is not None
            line = [*first, *second][window.line]
            [span] = window.spans
            # A token may begin before its word, with the line break, or with letters that no token stands for.
            assert starts[window.line] < span.end <= starts[window.line] + len(line)
