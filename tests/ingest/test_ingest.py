"""The ingest stage: what a fresh record leaves it with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ingest import IngestProcessor
from schemas import (
    Context,
    Media,
    Modality,
    Post,
    Record,
    Source,
    Stage,
    Status,
    decode_post,
    decode_record,
    encode_post,
    encode_record,
)

INGEST = IngestProcessor(max_text_chars=100)
ABSENT = Modality(status=Status.ABSENT)
OK = Modality(status=Status.OK)
PICTURE = Media(media_id="m-1", kind="image", uri="https://cdn.example/x.jpg")
FILM = Media(media_id="m-2", kind="video", uri="s3://bucket/key")
SONG = Media(media_id="m-3", kind="audio", data=b"RIFF")


def fresh(post: Post) -> Record:
    return Record(
        post=post,
        source=Source(topic="moderation.posts", partition=0, offset=7, timestamp_ms=1),
        content_hash="00",
        received_ms=2,
        route=(Stage.INGEST,),
    )


def ingested(
    text: str | None = None, *media: Media, title: str | None = None, parent: str | None = None, lang: str | None = None
) -> Record:
    context = Context(title=title, parent_text=parent)
    post = Post(post_id="p-1", text=text, media=media, context=context, lang=lang)
    (outcome,) = INGEST.process([INGEST.prepare(fresh(post))])
    assert isinstance(outcome, Record)
    return outcome


def test_a_text_post_gets_views_a_language_and_the_text_route() -> None:
    record = ingested("The weather in this town is a stup1d joke", title="Weather", parent="How is the weather?")
    assert record.route == (Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE)
    assert record.modalities == {"text": OK}
    section = record.ingest
    assert section is not None
    assert section.lang == "en"
    assert section.lang_confidence > 0.4
    assert set(section.fields) == {"text", "title", "parent"}
    assert section.fields["text"].folded == "The weather in this town is a stupid joke"
    assert section.fields["title"].folded is None


def test_the_record_survives_its_codec() -> None:
    record = ingested("caf\u0065\u0301 i d i o t \U0001f600")
    assert decode_record(encode_record(record)) == record


def test_the_rest_of_the_record_is_left_alone() -> None:
    before = fresh(Post(post_id="p-1", text="hello"))
    after = INGEST.prepare(before)
    assert (after.post, after.source, after.content_hash, after.received_ms) == (before.post, before.source, "00", 2)
    assert before.ingest is None


def test_fields_that_are_missing_or_empty_have_no_view() -> None:
    section = ingested("hello", title="").ingest
    assert section is not None
    assert set(section.fields) == {"text"}


@pytest.mark.parametrize(("given_tag", "lang"), [("de", "de"), ("pt-BR", "pt"), ("hi-Latn", "hi-Latn")])
def test_the_language_that_the_producer_names_holds(given_tag: str, lang: str) -> None:
    section = ingested("This is plainly English text, is it not", lang=given_tag).ingest
    assert section is not None
    assert (section.lang, section.lang_confidence) == (lang, 1.0)


@pytest.mark.parametrize("given_tag", ["english", "und", "??", ""])
def test_a_tag_that_names_no_language_is_passed_over(given_tag: str) -> None:
    section = ingested("This is plainly English text, is it not", lang=given_tag).ingest
    assert section is not None
    assert section.lang == "en"


def test_a_text_too_short_to_tell_is_of_undetermined_language() -> None:
    section = ingested("lol").ingest
    assert section is not None
    assert section.lang == "und"
    assert section.lang_confidence < 0.4


def test_the_language_is_that_of_the_posts_own_words() -> None:
    section = ingested(
        "ok", title="Ich glaube, dass das Wetter heute sehr schön ist", parent="I think the weather is very nice"
    ).ingest
    assert section is not None
    assert section.lang == "de"


def test_a_disguise_does_not_hide_the_language() -> None:
    section = ingested("уоu аrе tһе mоѕt ѕtuріd реrѕоn І һаvе еvеr mеt").ingest
    assert section is not None
    assert section.lang == "en"


def test_text_past_the_limit_is_cut_and_said_to_be_partly_read() -> None:
    record = ingested("word " * 100, title="Title")
    assert record.ingest is not None
    field = record.ingest.fields["text"]
    assert (field.original_length, len(field.text)) == (500, 100)
    assert record.modalities["text"] == Modality(
        status=Status.PARTIAL, reason="text has 500 code points, of which the first 100 were read"
    )


def test_a_long_title_counts_as_well_and_a_long_parent_does_not() -> None:
    assert ingested("hello", title="x " * 60).modalities["text"].status is Status.PARTIAL
    record = ingested("hello", parent="x " * 60)
    assert record.modalities["text"] == OK
    assert record.ingest is not None
    assert len(record.ingest.fields["parent"].text) == 100


@pytest.mark.parametrize("hidden", ["\u200b\u200d", "\0\x01\x02", "\u202e\u202c", "\ue000\uf8ff", "\u3164"])
def test_a_text_that_shows_nothing_has_failed(hidden: str) -> None:
    modality = ingested(hidden).modalities["text"]
    assert modality == Modality(
        status=Status.FAILED, reason="text holds only invisible, control or private-use characters"
    )


def test_a_text_that_shows_nothing_beside_a_title_is_partly_read() -> None:
    assert ingested("\u200b\u200b", title="Title").modalities["text"].status is Status.PARTIAL


def test_a_text_hidden_behind_the_limit_has_failed() -> None:
    modality = ingested("\u200b" * 200 + "hidden").modalities["text"]
    assert modality.status is Status.FAILED
    assert modality.reason is not None
    assert "206 code points" in modality.reason


@pytest.mark.parametrize("blank", [None, "", "  \n"])
def test_a_blank_caption_of_a_picture_is_no_text(blank: str | None) -> None:
    assert ingested(blank, PICTURE).modalities["text"] == ABSENT


@pytest.mark.parametrize("item", [PICTURE, FILM, SONG], ids=["image", "video", "audio"])
def test_a_post_with_media_goes_by_the_stages_that_alone_speak_of_them(item: Media) -> None:
    found = ingested("hello", item)
    media = (Stage.FETCH, Stage.OCR, Stage.ASR)
    assert found.route == (Stage.INGEST, *media, Stage.PACK, Stage.ENCODE, Stage.FUSE)
    assert found.modalities == {"text": OK}


def test_cost_counts_code_points_up_to_the_limit() -> None:
    assert INGEST.cost(fresh(Post(post_id="p-1", text="x" * 30, context=Context(title="y" * 500)))) == 130
    assert INGEST.cost(fresh(Post(post_id="p-1", media=(PICTURE,)))) == 1


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        IngestProcessor(max_text_chars=0)


def test_the_longest_possible_post_is_read_up_to_the_limit() -> None:
    ingest = IngestProcessor()
    record = ingest.prepare(fresh(decode_post(encode_post(Post(post_id="p-1", text="a\u0301\u200b" * 340_000)))))
    assert record.modalities["text"].status is Status.PARTIAL
    assert record.ingest is not None
    assert len(record.ingest.fields["text"].text) <= 20_000


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))
def test_any_valid_text_becomes_a_record_that_can_travel(text: str, title: str) -> None:
    record = ingested(text, title=title)
    assert decode_record(encode_record(record)) == record
    modality = record.modalities["text"]
    assert (modality.reason is None) == (modality.status in (Status.OK, Status.ABSENT))
