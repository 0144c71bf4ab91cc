"""What a moving picture shows in frame after frame is one line, with its times; nothing that is written is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models_export.measures.edit_distance import distance
from processors.ocr.merging import SLIP_LETTERS, SURE, is_slip, merge_frames, words_of
from schemas import OcrLine, OcrPicture

HEIGHT = 20.0


def line(
    text: str, *, left: float = 0.0, top: float = 0.0, confidence: float = 0.9, script: str | None = None
) -> OcrLine:
    right, bottom = left + 200.0, top + HEIGHT
    return OcrLine(
        text=text,
        polygon=((left, top), (right, top), (right, bottom), (left, bottom)),
        bbox=(left, top, 200.0, HEIGHT),
        confidence=confidence,
        script=script,
    )


def frame(t: float | None, *lines: OcrLine, media_id: str = "m-1", unread: tuple[OcrLine, ...] = ()) -> OcrPicture:
    return OcrPicture(media_id=media_id, object="0" * 64, t=t, lines=lines, unread=unread, confidence=0.5, coverage=0.3)


def listed(*frames: OcrPicture) -> list[tuple[float | None, str, float | None]]:
    """(time of the frame, text, t_end) of all lines after merging."""
    return [(picture.t, one.text, one.t_end) for picture in merge_frames(frames) for one in picture.lines]


def test_a_line_in_several_frames_stands_in_the_first_with_the_time_of_the_last() -> None:
    frames = [frame(at / 2, line("hello world")) for at in range(3)]
    assert listed(*frames) == [(0.0, "hello world", 1.0)]


def test_a_line_of_one_frame_ends_when_it_begins() -> None:
    assert listed(frame(0.0), frame(2.5, line("hello"))) == [(2.5, "hello", 2.5)]


def test_case_spaces_and_punctuation_do_not_make_another_line() -> None:
    assert listed(frame(0.0, line("HAVE A NICE DAY!")), frame(1.0, line("Havea nice day"))) == [
        (0.0, "HAVE A NICE DAY!", 1.0)
    ]


def test_a_caption_that_scrolls_is_one_line() -> None:
    frames = [frame(float(at), line("breaking news", top=300.0 - 100 * at)) for at in range(3)]
    assert listed(*frames) == [(0.0, "breaking news", 2.0)]
    assert merge_frames(frames)[0].lines[0].bbox[1] == 300.0


def test_of_two_readings_the_surer_one_is_kept_at_the_place_of_the_first() -> None:
    first, second = line("good mormng all", top=4.0, confidence=0.7), line("good mornng all", confidence=0.95)
    [kept] = merge_frames([frame(0.0, first), frame(1.0, second)])[0].lines
    assert (kept.text, kept.confidence, kept.bbox, kept.t_end) == ("good mornng all", 0.95, first.bbox, 1.0)


def test_a_slightly_different_reading_elsewhere_is_another_line() -> None:
    assert len(listed(frame(0.0, line("good morning")), frame(1.0, line("good moming", top=200.0)))) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("kill him", "kiss him"),
        ("they are vermin", "they are not vermin"),
        ("I like jaws", "I loathe jaws"),
        ("you scum", "you are all scum"),
        ("win", "sin"),
    ],
)
def test_what_may_mean_something_else_is_another_line(first: str, second: str) -> None:
    assert [text for _, text, _ in listed(frame(0.0, line(first)), frame(1.0, line(second)))] == [first, second]


def test_two_readings_that_are_both_sure_are_two_lines() -> None:
    frames = [frame(0.0, line("chapter one 1", confidence=SURE)), frame(1.0, line("chapter one 2", confidence=SURE))]
    assert len(listed(*frames)) == 2


def test_what_stands_twice_in_a_frame_is_two_lines_that_last_as_long_as_each_is_shown() -> None:
    both = (line("no"), line("no", top=100.0))
    assert listed(frame(0.0, *both), frame(1.0, *both), frame(2.0, both[0])) == [(0.0, "no", 2.0), (0.0, "no", 1.0)]


def test_a_line_does_not_drift_into_another_letter_by_letter() -> None:
    readings = ["aaaaaaaa", "baaaaaaa", "bbaaaaaa", "bbbaaaaa"]
    frames = [frame(float(at), line(text, confidence=0.5 + at / 10)) for at, text in enumerate(readings)]
    assert len(listed(*frames)) == 2


def test_unread_lines_at_one_place_in_one_script_are_one() -> None:
    mark = line("", confidence=0.8, script="Arab")
    frames = [frame(float(at), unread=(mark,)) for at in range(16)]
    merged = merge_frames(frames)
    assert [[(one.script, one.t_end) for one in picture.unread] for picture in merged] == [[("Arab", 15.0)], *[[]] * 15]


@pytest.mark.parametrize("other", [line("", script="Thai"), line("", top=200.0, script="Arab")])
def test_unread_lines_elsewhere_or_in_another_script_are_others(other: OcrLine) -> None:
    merged = merge_frames([frame(0.0, unread=(line("", script="Arab"),)), frame(1.0, unread=(other,))])
    assert [len(picture.unread) for picture in merged] == [1, 1]


def test_a_line_that_could_not_be_read_is_not_taken_for_one_that_was() -> None:
    merged = merge_frames([frame(0.0, line("hello")), frame(1.0, unread=(line(""),))])
    assert [len(picture.unread) for picture in merged] == [0, 1]


def test_stills_and_other_media_items_keep_what_they_show() -> None:
    still, item, other = (
        frame(None, line("hello")),
        frame(0.0, line("hello")),
        frame(0.0, line("hello"), media_id="m-2"),
    )
    merged = merge_frames([still, still, item, other])
    assert merged[:2] == (still, still)
    assert [one.text for picture in merged[2:] for one in picture.lines] == ["hello", "hello"]


def test_a_frames_confidence_is_that_of_the_lines_it_still_lists() -> None:
    merged = merge_frames(
        [
            frame(0.0, line("hello", confidence=0.6)),
            frame(1.0, line("hello", confidence=0.8), line("again", top=50.0, confidence=0.7)),
            frame(2.0, line("again", top=50.0, confidence=0.5)),
        ]
    )
    assert [picture.confidence for picture in merged] == [0.8, 0.7, None]
    assert {picture.coverage for picture in merged} == {0.3}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("goodmorning", "goodmorning", True),
        ("goodmorning", "goodmoming", False),
        ("goodmorning", "goodmornin", True),
        ("goodmorning", "oodmorning", True),
        ("goodmorning", "goodmOrning", True),
        ("goodmorning", "goodmornign", False),
        ("a" * (SLIP_LETTERS - 1), "a" * (SLIP_LETTERS - 2) + "b", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_a_slip_is_one_letter_of_a_long_line(one: str, other: str, same: bool) -> None:
    assert is_slip(one, other) is is_slip(other, one) is same


def test_marks_that_make_another_word_count_and_signs_alone_are_words() -> None:
    assert words_of("कि") != words_of("का")
    assert words_of("!!!") != words_of("???")
    assert words_of("ﬁne Straße") == "finestrasse"


texts = st.sampled_from(
    [
        "",
        "no",
        "NO!",
        "hello world",
        "Hello, world",
        "hello worid",
        "helloworlds",
        "kill them all",
        "kiss them all",
        "???",
    ]
)
lines = st.builds(
    line,
    texts.filter(bool),
    left=st.sampled_from([0.0, 5.0, 500.0]),
    top=st.sampled_from([0.0, 3.0, 90.0]),
    confidence=st.sampled_from([0.5, 0.7, 0.9, 0.99, 1.0]),
)
unread = st.builds(line, st.just(""), top=st.sampled_from([0.0, 3.0, 90.0]), script=st.sampled_from([None, "Arab"]))
frames = st.lists(st.tuples(st.lists(lines, max_size=4), st.lists(unread, max_size=3)), max_size=6).map(
    lambda found: [frame(float(at), *read, unread=tuple(marks)) for at, (read, marks) in enumerate(found)]
)


@given(frames)
def test_every_line_of_every_frame_is_still_listed_within_a_letter_or_two_and_its_times(
    found: list[OcrPicture],
) -> None:
    merged = merge_frames(found)
    kept = [(picture.t or 0.0, one) for picture in merged for one in picture.lines]
    for picture in found:
        for one in picture.lines:
            assert picture.t is not None
            # A reading is a letter from the first one of its line, and so is the surest.
            assert any(
                t <= picture.t <= (other.t_end or 0.0)
                and other.confidence >= one.confidence
                and distance(words_of(one.text), words_of(other.text)) <= 2
                for t, other in kept
            )
    for picture, before in zip(merged, found, strict=True):
        blank = replace(before, lines=(), unread=(), confidence=None)
        assert replace(picture, lines=(), unread=(), confidence=None) == blank


@given(frames)
def test_the_same_words_are_listed_as_often_as_one_frame_shows_them_at_least(found: list[OcrPicture]) -> None:
    listed_words = Counter(words_of(one.text) for picture in merge_frames(found) for one in picture.lines)
    for picture in found:
        for words, times in Counter(words_of(one.text) for one in picture.lines).items():
            near = sum(count for other, count in listed_words.items() if distance(words, other) <= 2)
            assert near >= times


@given(frames)
def test_merging_never_adds_lines_and_what_is_repeated_adds_none(found: list[OcrPicture]) -> None:
    def count(pictures: list[OcrPicture] | tuple[OcrPicture, ...]) -> int:
        return sum(len(picture.lines) + len(picture.unread) for picture in pictures)

    merged = merge_frames(found)
    assert count(merged) <= count(found)
    again = [*found, *(replace(picture, t=(picture.t or 0.0) + 100.0) for picture in found[-1:])]
    assert count(merge_frames(again)) == count(merged)
