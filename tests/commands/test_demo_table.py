"""The demo's tables say how pictures were read, and fit the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commands.demo_table import (
    HEADER,
    SOUNDS_HEADER,
    decision_row,
    fitted,
    has_pictures,
    has_sound,
    picture_row,
    sound_row,
    text_of,
    timed_text,
)
from commands.terminal import width
from schemas import (
    Action,
    Decision,
    Evidence,
    Media,
    MediaKind,
    Modality,
    Post,
    Reason,
    Source,
    Status,
    Versions,
)

OK, ABSENT = Modality(status=Status.OK), Modality(status=Status.ABSENT)


def decision(
    *,
    text: Modality = ABSENT,
    ocr: Modality = OK,
    image: Modality = OK,
    speech: Modality = ABSENT,
    read: tuple[str, ...] = (),
    heard: tuple[Evidence, ...] = (),
) -> Decision:
    return Decision(
        decision_id="d-1",
        post_id="p-1",
        tenant="default",
        lang=None,
        source=Source(topic="posts", partition=0, offset=0, timestamp_ms=1),
        action=Action.REVIEW,
        confidence=0.9,
        labels={"hate": 0.5, "abuse": 0.75, "insult": 0.1},
        severity=0,
        modalities={"text": text, "ocr": ocr, "image": image, "speech": speech},
        evidence=(
            *(Evidence(modality="ocr", media_id="m-1", text=line, score=0.1) for line in read),
            Evidence(modality="image", media_id="m-1", score=0.1),
            Evidence(modality="text", text="not in the picture", score=0.1),
            *heard,
        ),
        flags=("abuse",),
        reasons=tuple(Reason(rule=rule, code="c", text="") for rule in ("abuse-review", "other", "other")),
        versions=Versions(code="1", pack="tiny@1", policy="default@1", layers=("default",)),
        decided_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


def test_a_decision_is_shown_with_its_two_highest_labels_and_each_rule_once() -> None:
    assert decision_row("p-1", "words", decision()) == (
        "p-1",
        "und",
        "words",
        "review",
        "abuse 0.75, hate 0.50",
        "abuse; abuse-review, other",
    )


def test_the_lines_of_a_picture_are_shown_in_reading_order_with_how_each_modality_fared() -> None:
    found = decision(read=("GOOD MORNING", "HAVE A\x1b NICE DAY"))

    assert picture_row(found) == ("p-1", "GOOD MORNING / HAVE A  NICE DAY", "absent", "ok", "ok", "")


def test_a_reason_that_two_modalities_share_is_told_once() -> None:
    broken = Modality(status=Status.FAILED, reason="m-1: broken")
    found = decision(text=Modality(status=Status.PARTIAL, reason="too long"), ocr=broken, image=broken)

    assert picture_row(found) == ("p-1", "", "partial", "failed", "failed", "too long; m-1: broken")


def test_only_posts_with_pictures_are_shown_among_them() -> None:
    assert has_pictures(decision())
    assert has_pictures(decision(ocr=Modality(status=Status.FAILED), image=Modality(status=Status.FAILED)))
    assert not has_pictures(decision(ocr=ABSENT, image=ABSENT))


def said(text: str, start: float, end: float, *, confidence: float = 0.9) -> Evidence:
    return Evidence(
        modality="speech", media_id="s-1", text=text, t_start=start, t_end=end, confidence=confidence, score=0.1
    )


def test_what_was_heard_is_shown_in_the_order_of_time_with_its_times_and_how_well() -> None:
    found = decision(speech=OK, heard=(said("good morning", 3.2, 7.9), said("have a\x1b nice day", 61.0, 61.5)))

    assert sound_row(found) == ("p-1", "0:03-0:07 good morning / 1:01 have a  nice day", "ok", "")
    assert len(sound_row(found)) == len(SOUNDS_HEADER)


def test_words_that_are_not_to_be_trusted_have_a_question_mark() -> None:
    unsafe = Modality(status=Status.UNSAFE, reason="s-1: 1 segment is not to be trusted (phantom)")
    found = decision(speech=unsafe, heard=(said("thanks for watching", 0.0, 2.0, confidence=0.0),))

    assert sound_row(found) == ("p-1", "0:00-0:02 ?thanks for watching", "unsafe", unsafe.reason)


def test_speech_that_was_not_heard_says_why() -> None:
    found = decision(speech=Modality(status=Status.FAILED, reason="s-1: broken"))

    assert sound_row(found) == ("p-1", "", "failed", "s-1: broken")


def test_lines_of_a_video_have_their_times_and_those_of_a_still_have_none() -> None:
    line = Evidence(modality="ocr", media_id="m-1", text="SALE", t_start=2.0, t_end=754.0, score=0.1, confidence=0.9)

    assert timed_text(line) == "0:02-12:34 SALE"
    assert timed_text(Evidence(modality="ocr", media_id="m-1", text="SALE", score=0.1, confidence=0.9)) == "SALE"


def test_only_posts_in_which_somebody_speaks_or_may_are_shown_among_the_sounds() -> None:
    assert has_sound(decision(speech=OK))
    assert has_sound(decision(speech=Modality(status=Status.FAILED)))
    assert not has_sound(decision())


@pytest.mark.parametrize(
    ("kind", "shown"), [("image", "(a picture)"), ("video", "(a video)"), ("audio", "(a recording)")]
)
def test_a_post_without_text_is_what_its_first_item_is(kind: MediaKind, shown: str) -> None:
    media = (Media(media_id="m-1", kind=kind, uri="https://example.org/x"),)
    assert text_of(Post(post_id="p-1", text="two\nlines", media=media)) == "two lines"
    assert text_of(Post(post_id="p-1", media=media)) == shown


@pytest.mark.parametrize("room", [120, 100, 80])
def test_a_table_is_cut_to_the_terminal_where_it_is_longest(room: int) -> None:
    row = ("demo-01", "en", "今日は天気がいい" * 5, "dead letter", "abuse 0.75, hate 0.50", "word " * 12)

    (cut,) = fitted(HEADER, [row], room)

    assert sum(max(width(name), width(cell)) for name, cell in zip(HEADER, cut, strict=True)) + 2 * 5 <= room
    assert [cut[at] for at in (0, 1, 3)] == [row[at] for at in (0, 1, 3)]
    assert cut[2].endswith("…")
    assert cut[5].endswith("…")


def test_a_terminal_without_room_for_the_shortest_table_gets_that() -> None:
    row = ("demo-01", "en", "word " * 20, "approve", "abuse 0.75", "word " * 20)

    assert fitted(HEADER, [row], 10) == fitted(HEADER, [row], 20)


def test_a_table_without_a_terminal_or_with_room_in_it_is_whole() -> None:
    row = ("demo-01", "en", "word " * 20, "approve", "abuse 0.75", "word " * 20)

    assert fitted(HEADER, [row], 0) == [row]
    assert fitted(HEADER, [row], 500) == [row]
