"""What was not wholly read is never approved, whichever stage it was that left it."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from processors.fuse import FuseProcessor
from processors.pack.processor import PackProcessor
from schemas import MODALITIES, Action, FetchSection, Modality, Record, Status
from tests.fused import Chain, decided
from tests.ingested import ingested, post_of, received
from tests.pictured import MEDIA, Shot, looked_at, with_pictures

HARMLESS = (-9.0, -9.0)
DOUBTFUL = (Status.PARTIAL, Status.FAILED, Status.UNSAFE)


@pytest.mark.parametrize(("name", "status"), list(itertools.product(MODALITIES, DOUBTFUL)))
def test_whatever_was_not_wholly_read_is_at_least_reviewed(
    chain: Chain, lenient: FuseProcessor, name: str, status: Status
) -> None:
    record = replace(
        ingested(received(post_of("hello world"))), modalities={name: Modality(status=status, reason="why")}
    )
    decision = chain.decision(lenient, record)
    assert decision.action is Action.REVIEW
    assert (decision.modalities[name].status, decision.modalities[name].reason) == (status, "why")


@pytest.mark.parametrize("kind", ["image", "video", "audio"])
@pytest.mark.parametrize("text", [None, " ", "hello world"])
def test_media_that_no_stage_has_read_are_never_approved(
    chain: Chain, lenient: FuseProcessor, kind: str, text: str | None
) -> None:
    decision = chain.decision(lenient, ingested(received(post_of(text, media=[MEDIA[kind]]))))
    assert decision.action is Action.REVIEW
    assert Status.FAILED in {modality.status for modality in decision.modalities.values()}


@pytest.mark.parametrize("text", [" ", "\u200b", "\n\n"])
def test_a_post_of_which_nothing_can_be_read_is_reviewed(chain: Chain, lenient: FuseProcessor, text: str) -> None:
    decision = chain.decision(lenient, ingested(received(post_of(text))))
    assert decision.action is Action.REVIEW
    assert decision.labels == {}
    assert decision.confidence == 0.0
    assert decision.modalities["text"].reason == "nothing in the post could be read or heard"


def test_windows_that_no_expert_has_read_are_reviewed(packer: PackProcessor, lenient: FuseProcessor) -> None:
    decision = lenient.prepare(packer.prepare(ingested(received(post_of("hello"))))).decision
    assert decision is not None
    assert decision.action is Action.REVIEW
    assert decision.modalities["text"].reason == "the text expert did not run"


def test_a_text_beyond_the_limit_is_reviewed_however_harmless_its_beginning(
    chain: Chain, lenient: FuseProcessor
) -> None:
    decision = chain.decision(lenient, ingested(received(post_of("the cat sat on the mat . " * 40))))
    assert decision.action is Action.REVIEW
    assert decision.modalities["text"].status is Status.PARTIAL
    assert decision.modalities["text"].score is not None


def test_a_picture_that_was_read_and_looked_at_does_not_hold_a_harmless_text_back(
    chain: Chain, seer: FuseProcessor
) -> None:
    record = chain.encoded(with_pictures(Shot(["good day"]), text="hello world"))
    decision = decided(seer, looked_at(record, [HARMLESS]))
    assert decision.action is Action.APPROVE
    assert {name: part.status for name, part in decision.modalities.items()} == {
        "text": Status.OK,
        "ocr": Status.OK,
        "image": Status.OK,
        "speech": Status.ABSENT,
    }


def test_a_picture_without_words_has_nothing_to_read_and_is_judged_by_its_looks(
    chain: Chain, seer: FuseProcessor
) -> None:
    decision = decided(seer, looked_at(chain.encoded(with_pictures(Shot())), [HARMLESS]))
    assert decision.action is Action.APPROVE
    assert decision.modalities["ocr"].status is Status.ABSENT
    assert (decision.modalities["image"].status, decision.modalities["image"].weight) == (Status.OK, 1.0)


def test_each_modality_has_the_score_and_confidence_of_its_own_expert(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(Shot(["you are", "all scum"], confidence=0.8), text="hello world"))
    parts = decided(seer, looked_at(record, [[1.0, 0.0]])).modalities
    alone = chain.decision(seer, ingested(received(post_of("hello world")))).modalities["text"]
    assert (parts["text"].score, parts["text"].confidence) == (alone.score, alone.confidence)
    assert parts["ocr"].score is not None
    assert parts["ocr"].score > 0.9
    assert parts["ocr"].confidence == round(parts["ocr"].score * 0.8, 3)
    assert (parts["image"].score, parts["image"].confidence) == (0.731, 0.731)


def test_weights_say_how_well_each_modality_was_read_and_are_0_for_what_a_post_lacks(
    chain: Chain, seer: FuseProcessor
) -> None:
    record = chain.encoded(with_pictures(Shot(["you are", "all scum"], confidence=0.675), text="hello world"))
    parts = decided(seer, looked_at(record, [[-9.0, 0.0]])).modalities
    assert {name: part.weight for name, part in parts.items()} == {"text": 1.0, "ocr": 0.5, "image": 1.0, "speech": 0.0}


def test_the_decisions_confidence_is_that_of_what_speaks_loudest(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(Shot(["you are", "all scum"], confidence=0.9), text="hello world"))
    decision = decided(seer, looked_at(record, [[-9.0, 0.0]]))
    assert decision.modalities["ocr"].confidence is not None
    assert decision.confidence == pytest.approx(decision.modalities["ocr"].confidence, abs=0.02)


def without(record: Record, stage: str) -> Record:
    if stage == "encode.image":
        assert record.encode is not None
        return replace(record, encode=replace(record.encode, image=None))
    return replace(record, **{stage: None})


@pytest.mark.parametrize(
    ("stage", "failed"),
    [("fetch", {"ocr", "image"}), ("ocr", {"ocr"}), ("encode.image", {"image"}), ("encode", {"text", "ocr", "image"})],
)
def test_a_picture_post_that_a_stage_was_left_out_for_is_reviewed(
    chain: Chain, seer: FuseProcessor, stage: str, failed: set[str]
) -> None:
    record = chain.encoded(with_pictures(Shot(["good day"]), text="hello world"))
    record = looked_at(record, [HARMLESS])
    if stage == "fetch":
        assert record.encode is not None
        record = without(record, "encode.image")
    decision = decided(seer, without(record, stage))
    assert decision.action is Action.REVIEW
    assert {name for name, part in decision.modalities.items() if part.status is Status.FAILED} == failed


def test_a_pack_that_cannot_judge_pictures_never_approves_one(chain: Chain, lenient: FuseProcessor) -> None:
    decision = chain.decision(lenient, with_pictures(Shot(["good day"]), text="hello world"))
    assert decision.action is Action.REVIEW
    assert decision.modalities["image"].status is Status.FAILED


def test_a_picture_that_nobody_searched_for_text_is_a_gap(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["good day"]), Shot(media_id="m-2"))), [HARMLESS, HARMLESS])
    assert record.ocr is not None
    record = replace(record, ocr=replace(record.ocr, pictures=record.ocr.pictures[:1]))
    decision = decided(seer, record)
    assert decision.action is Action.REVIEW
    assert decision.modalities["ocr"].reason == "1 of 2 pictures were not searched for text"


def test_lines_that_the_text_expert_has_no_place_for_are_a_gap(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot())), [HARMLESS])
    read = with_pictures(Shot(["good day"])).ocr
    decision = decided(seer, replace(record, ocr=read))
    assert decision.modalities["ocr"].reason == "no expert has judged the lines"
    assert decision.action is Action.REVIEW


def test_what_the_bytes_are_counts_and_not_what_the_producer_called_them(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot())), [HARMLESS])
    assert record.fetch is not None
    [media] = record.fetch.media
    sound = replace(record, fetch=FetchSection(media=(replace(media, kind="audio"),)))
    assert decided(seer, record).modalities["speech"].status is Status.ABSENT
    assert decided(seer, sound).modalities["speech"].status is Status.FAILED


@pytest.mark.parametrize("status", [Status.PARTIAL, Status.UNSAFE, Status.FAILED])
@pytest.mark.parametrize("name", ["ocr", "image"])
def test_what_an_earlier_stage_doubted_stays_doubted_and_keeps_its_score(
    chain: Chain, seer: FuseProcessor, name: str, status: Status
) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["good day"]))), [HARMLESS])
    doubted = replace(record, modalities={name: Modality(status=status, reason="why")})
    decision = decided(seer, doubted)
    assert decision.action is Action.REVIEW
    assert (decision.modalities[name].status, decision.modalities[name].reason) == (status, "why")
    assert decision.modalities[name].score is not None
