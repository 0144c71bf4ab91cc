"""The demo's tables say how pictures were read, and fit the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commands.console import width
from commands.demo_table import HEADER, decision_row, fitted, has_pictures, picture_row, text_of
from schemas import Action, Decision, Evidence, Modality, Post, Reason, Source, Status, Versions

OK, ABSENT = Modality(status=Status.OK), Modality(status=Status.ABSENT)


def decision(
    *, text: Modality = ABSENT, ocr: Modality = OK, image: Modality = OK, read: tuple[str, ...] = ()
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
        modalities={"text": text, "ocr": ocr, "image": image, "speech": ABSENT},
        evidence=(
            *(Evidence(modality="ocr", media_id="m-1", text=line, score=0.1) for line in read),
            Evidence(modality="image", media_id="m-1", score=0.1),
            Evidence(modality="text", text="not in the picture", score=0.1),
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


def test_a_post_without_words_is_a_picture() -> None:
    assert text_of(Post(post_id="p-1", text="two\nlines")) == "two lines"
    assert text_of(Post(post_id="p-1")) == "(a picture)"


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
