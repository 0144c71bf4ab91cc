"""The pack stage: text becomes windows that remember which code points of the post they show."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.contract import ProcessingError
from processors.pack.features import TEXT_FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from schemas import FieldSpan, Modality, PackSection, Record, Status, decode_record, encode_record
from tests.ingested import ingested, post_of, received

LONG = " ".join(f"the cat sat on the mat number {number} ." for number in range(40))


def packed(packer: PackProcessor, record: Record) -> Record:
    [outcome] = packer.process([packer.prepare(record)])
    assert isinstance(outcome, Record)
    return outcome


def section(packer: PackProcessor, record: Record) -> PackSection:
    pack = packed(packer, record).pack
    assert pack is not None
    return pack


def test_a_short_post_is_one_window_over_its_whole_text(packer: PackProcessor) -> None:
    text = "you are all good"
    found = section(packer, ingested(received(post_of(text))))
    [window] = found.windows
    assert window.view == "text"
    assert window.spans == (FieldSpan("text", 0, len(text)),)
    assert found.unread == ()


def test_title_stands_before_text_and_the_parent_last(packer: PackProcessor) -> None:
    found = section(packer, ingested(received(post_of("you", title="the cat", parent="good day"))))
    assert [span.field for span in found.windows[0].spans] == ["title", "text", "parent"]


def test_long_text_goes_into_overlapping_windows_that_leave_nothing_out(packer: PackProcessor) -> None:
    text = LONG[:120]
    found = section(packer, ingested(received(post_of(text))))
    spans = [window.spans[0] for window in found.windows]
    assert len(spans) > 1
    assert spans[0].start == 0
    assert spans[-1].end == len(text)
    assert all(later.start < earlier.end for earlier, later in itertools.pairwise(spans))


def test_text_beyond_the_last_window_is_unread_and_the_modality_partial(packer: PackProcessor) -> None:
    record = packed(packer, ingested(received(post_of(LONG, title="the cat"))))
    assert record.pack is not None
    assert len(record.pack.windows) == 6
    assert record.pack.unread == ("text",)
    assert record.modalities["text"] == Modality(
        status=Status.PARTIAL, reason="the limit of 6 windows left something unread in: text"
    )


def test_the_limit_of_windows_can_be_set_lower_than_the_packs(pack: Pack) -> None:
    found = section(PackProcessor(pack, max_windows=2), ingested(received(post_of(LONG))))
    assert len(found.windows) == 2
    assert len(section(PackProcessor(pack, max_windows=99), ingested(received(post_of(LONG)))).windows) == 6


def test_names_and_addresses_are_one_token_and_their_spans_cover_what_was_posted(packer: PackProcessor) -> None:
    text = "hello @someone_else https://example.org/a/long/path?with=query"
    found = section(packer, ingested(received(post_of(text))))
    [window] = found.windows
    assert window.spans[0] == FieldSpan("text", 0, len(text))
    assert len(window.ids) < 16


def test_the_folded_view_gives_further_windows_over_the_same_text(packer: PackProcessor) -> None:
    text = "you s-c-u-m"
    found = section(packer, ingested(received(post_of(text)), disguised=True))
    assert [window.view for window in found.windows] == ["text", "folded"]
    assert found.windows[1].spans == (FieldSpan("text", 0, len(text)),)
    assert found.features["disguised"] == 1.0


def test_windows_that_the_folded_view_would_repeat_are_left_out(packer: PackProcessor) -> None:
    # A window is cut off at the same token in both views where what differs stands behind it.
    text = "good " * 30 + "s-c-u-m"
    found = section(packer, ingested(received(post_of(text)), disguised=True))
    by_view = {view: [w.ids.tobytes() for w in found.windows if w.view == view] for view in ("text", "folded")}
    assert len(by_view["folded"]) == 1
    assert len(by_view["text"]) > 2
    assert not set(by_view["folded"]) & set(by_view["text"])


@pytest.mark.parametrize("text", [" ", "\n\n ", "\u200b\u200b", "\ufeff"])
def test_text_that_shows_nothing_has_no_window(packer: PackProcessor, text: str) -> None:
    found = section(packer, ingested(received(post_of(text))))
    assert found.windows == ()
    assert found.features["windows"] == 0


def test_a_post_with_only_a_parent_has_no_window(packer: PackProcessor) -> None:
    record = ingested(received(post_of("x", parent="you are scum")))
    assert record.ingest is not None
    alone = replace(record, ingest=replace(record.ingest, fields={"parent": record.ingest.fields["parent"]}))
    assert section(packer, alone).windows == ()


def test_letters_that_the_vocabulary_lacks_make_the_text_partial_and_emoji_do_not(packer: PackProcessor) -> None:
    unknown = packed(packer, ingested(received(post_of("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ"))))
    assert unknown.pack is not None
    assert unknown.pack.features["unknown_share"] == 1.0
    assert unknown.modalities["text"].status is Status.PARTIAL
    emoji = packed(packer, ingested(received(post_of("🫠🫠🫠"))))
    assert emoji.pack is not None
    assert emoji.pack.features["emoji_share"] == 1.0
    assert "text" not in emoji.modalities


def test_what_an_earlier_stage_said_of_the_text_stays(packer: PackProcessor) -> None:
    before = {"text": Modality(status=Status.UNSAFE, reason="told so")}
    record = packed(packer, replace(ingested(received(post_of(LONG))), modalities=before))
    assert record.modalities["text"].status is Status.UNSAFE
    assert (record.modalities["text"].reason or "").startswith("told so; the limit of 6 windows")


def test_features_have_their_documented_names_and_ranges(packer: PackProcessor) -> None:
    found = section(packer, ingested(received(post_of("HELLO World! 😀", title="good day"))))
    assert tuple(found.features) == TEXT_FEATURES
    assert found.features["letters"] == len("HELLOWorldgoodday")
    assert found.features["uppercase_share"] == round(6 / 17, 3)
    assert found.features["emoji_share"] == round(1 / 19, 3)


def test_a_record_that_ingest_has_not_seen_is_an_error(packer: PackProcessor) -> None:
    with pytest.raises(ProcessingError, match="expected ingest to run before pack"):
        packer.prepare(received(post_of("hello")))


words = st.sampled_from(
    [
        "you",
        "are",
        "scum",
        "the",
        "cat",
        "@some_one",
        "https://x.org/y",
        "[URL]",
        "<user>",
        "😀",
        "漢字",
        "ﬁ",
        "é",
        "s-c-u-m",
    ]
)


@given(st.lists(words, max_size=60), st.lists(words, max_size=12), st.booleans())
def test_spans_lie_in_the_posted_text_and_cover_all_that_was_read(
    packer: PackProcessor, text: list[str], title: list[str], disguised: bool
) -> None:
    post = post_of(" ".join(text) or None, title=" ".join(title) or None)
    record = ingested(received(post), disguised=disguised)
    found = section(packer, record)
    lengths = {"text": len(post.text or ""), "title": len((post.context.title or "") if post.context else "")}
    for window in found.windows:
        assert 0 < len(window.ids) <= 24
        for span in window.spans:
            assert 0 <= span.start <= span.end <= lengths[span.field]
    for name, length in lengths.items():
        spans = [span for window in found.windows for span in window.spans if span.field == name]
        if length and name not in found.unread:
            assert (min(span.start for span in spans), max(span.end for span in spans)) == (0, length)


@given(st.lists(words, min_size=1, max_size=40))
def test_a_packed_record_survives_its_topic(packer: PackProcessor, text: list[str]) -> None:
    record = packed(packer, ingested(received(post_of(" ".join(text)))))
    again = decode_record(encode_record(record))
    assert again.pack is not None
    assert record.pack is not None
    assert [window.ids.tolist() for window in again.pack.windows] == [w.ids.tolist() for w in record.pack.windows]
    assert again.pack.features == record.pack.features
