"""What a window can be cut into: sentences, lines and words, with the tokens that show them."""

from __future__ import annotations

import pytest

from processors.encode.stretches import cut_into_words, trimmed
from processors.pack.processor import PackProcessor
from schemas import Record
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, with_pictures


def stretches(packer: PackProcessor, record: Record) -> list[tuple[str, int, int]]:
    record = packer.prepare(record)
    assert record.pack is not None
    return [(one.field, one.start, one.end) for one, _ in cut_into_words(record, record.pack.windows[0])]


def test_every_token_of_a_field_is_of_one_stretch(packer: PackProcessor) -> None:
    record = packer.prepare(ingested(received(post_of("you are. the cat! good day", title="hello", parent="world"))))
    assert record.pack is not None
    [window] = record.pack.windows
    assert window.places is not None
    found = [one for one, _ in cut_into_words(record, window)]
    assert [one.field for one in found] == ["title", "text", "text", "text"]
    held = [at for one in found for at in one.tokens]
    parent = [at for at, (start, _) in enumerate(window.places.tolist()) if start >= 0][len(held) :]
    assert sorted(held) == held
    assert parent
    assert not set(held) & set(parent)


def test_lines_in_pictures_are_stretches_of_the_field_ocr(packer: PackProcessor) -> None:
    found = stretches(packer, with_pictures(Shot(["hello world", "you scum"]), text="good day"))
    assert found == [("ocr", 0, 11), ("ocr", 12, 20), ("text", 0, 8)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("you are (scum)!", ["you", "are", "scum"]),
        ("s-c-u-m you", ["s-c-u-m", "you"]),
        ("@some_one hello", ["@some_one", "hello"]),
        ("你好 cat", ["你好", "cat"]),
    ],
)
def test_words_are_what_stands_between_blanks_where_a_script_has_them(
    packer: PackProcessor, text: str, words: list[str]
) -> None:
    record = packer.prepare(ingested(received(post_of(text))))
    assert record.pack is not None
    [window] = record.pack.windows
    [(_, found)] = cut_into_words(record, window)
    shown = [text[one.start : one.end] for one in found]
    assert shown == words
    assert len({at for one in found for at in one.tokens}) == sum(len(one.tokens) for one in found)


def test_a_span_of_nothing_but_marks_stays_as_it_is() -> None:
    assert trimmed("a ... b", 2, 5) == (2, 5)
    assert trimmed(" «word», ", 0, 9) == (2, 6)
