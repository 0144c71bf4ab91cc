"""The fuse stage: calibrated probabilities, floors that no policy undoes, decisions that their schema accepts."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from msgspec.structs import replace

from processors.contract import ProcessingError
from processors.encode import EncodeProcessor
from processors.fuse import EvidenceLimits, FuseProcessor, confidence_of, decision_messages
from processors.fuse.language import MAX_UNTOLD_LETTERS
from processors.pack.features import FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from processors.policy import Policy, parse_policy
from schemas import (
    LABELS,
    MODALITIES,
    Action,
    Decision,
    EncodeSection,
    Media,
    Modality,
    Record,
    Status,
    decode_decision,
    decode_flag,
    encode_decision,
)
from tests.ingested import ingested, post_of, received

SCHEMAS = Path(__file__).parents[2] / "schemas" / "json"
NOW_MS = 1_795_316_080_250

APPROVE_ALL = """
schema: policy/1
name: lenient
version: "1"
layers:
  default: {}
"""
"""The mildest policy that can be written: it has no rules at all."""


@pytest.fixture(scope="session")
def fuser(pack: Pack, policy: Policy) -> FuseProcessor:
    return FuseProcessor(pack, policy, code="test", clock=lambda: NOW_MS)


@pytest.fixture(scope="session")
def lenient(pack: Pack) -> FuseProcessor:
    policy = parse_policy(APPROVE_ALL.encode(), "lenient.yaml", pack.manifest.thresholds, FEATURES)
    return FuseProcessor(pack, policy, code="test", clock=lambda: NOW_MS)


class Chain:
    """Pack, encode and fuse, for one record at a time."""

    def __init__(self, packer: PackProcessor, encoder: EncodeProcessor) -> None:
        self._packer = packer
        self._encoder = encoder

    def encoded(self, record: Record) -> Record:
        [outcome] = self._encoder.process([self._packer.prepare(record)])
        assert isinstance(outcome, Record)
        return outcome

    def fused(self, fuser: FuseProcessor, record: Record) -> Record:
        [outcome] = fuser.process([fuser.prepare(self.encoded(record))])
        assert isinstance(outcome, Record)
        return outcome

    def decision(self, fuser: FuseProcessor, record: Record) -> Decision:
        decision = self.fused(fuser, record).decision
        assert decision is not None
        return decision


@pytest.fixture(scope="session")
def chain(packer: PackProcessor, encoder: EncodeProcessor) -> Chain:
    return Chain(packer, encoder)


def test_a_harmless_post_is_approved_with_measured_labels_only(chain: Chain, fuser: FuseProcessor) -> None:
    decision = chain.decision(fuser, ingested(received(post_of("hello world"))))
    assert decision.action is Action.APPROVE
    assert set(decision.labels) == {"abuse", "hate"}
    assert set(decision.not_assessed) == set(LABELS) - {"abuse", "hate"}
    assert decision.evidence == ()
    assert decision.flags == ()
    assert decision.severity == 0


def test_an_abusive_post_is_not_approved_and_shows_where_why_and_how_sure(chain: Chain, fuser: FuseProcessor) -> None:
    text = "you are all scum"
    record = chain.fused(fuser, ingested(received(post_of(text))))
    decision = record.decision
    assert decision is not None
    assert decision.action is not Action.APPROVE
    assert decision.flags == ("abuse", "hate")
    [piece] = decision.evidence
    assert (piece.span, piece.text, piece.modality) == ((0, len(text)), text, "text")
    assert piece.score == max(decision.labels.values())
    assert all(reason.evidence == (0,) for reason in decision.reasons)
    assert [flag.flag for flag in record.flags] == ["abuse", "hate"]
    hate = record.flags[1]
    assert (hate.probability, hate.threshold, hate.evidence) == (decision.labels["hate"], 0.4, decision.evidence)
    assert (hate.action, hate.severity, hate.decision_id) == (decision.action, decision.severity, decision.decision_id)


def test_probabilities_are_calibrated_and_rounded_to_three_decimals(pack: Pack, fuser: FuseProcessor) -> None:
    record = ingested(received(post_of("hello")))
    record = PackProcessor(pack).prepare(record)
    logits = np.array([[0.7, -0.3, 9.0]], np.float32)
    section = EncodeSection(logits=logits, embedding=np.zeros(8, np.float32))
    decision = fuser.prepare(replace(record, encode=section)).decision
    assert decision is not None
    expected = {"abuse": 1 / (1 + np.exp(-0.7 / 1.25)), "hate": 1 / (1 + np.exp(0.8))}
    assert decision.labels == {label: round(value, 3) for label, value in expected.items()}


def test_rounding_comes_before_the_threshold(pack: Pack, fuser: FuseProcessor) -> None:
    # 0.5004 is over the pack's threshold of 0.5 for abuse; rounded it is not.
    logit = 1.25 * np.log(0.5004 / 0.4996)
    record = PackProcessor(pack).prepare(ingested(received(post_of("hello"))))
    logits = np.array([[logit, -9.0, 0.0]], np.float32)
    decision = fuser.prepare(
        replace(record, encode=EncodeSection(logits=logits, embedding=np.zeros(8, np.float32)))
    ).decision
    assert decision is not None
    assert decision.labels["abuse"] == 0.5
    assert decision.flags == ()


def test_a_post_is_as_bad_as_its_worst_window(chain: Chain, fuser: FuseProcessor) -> None:
    harmless = "the cat sat on the mat . " * 5
    mixed = chain.decision(fuser, ingested(received(post_of(harmless + "you are scum"))))
    assert mixed.action is not Action.APPROVE
    assert mixed.evidence[0].text is not None
    assert all("scum" in (piece.text or "") for piece in mixed.evidence)


def test_disguised_words_are_found_in_the_folded_view_and_shown_as_posted(chain: Chain, fuser: FuseProcessor) -> None:
    text = "you s-c-u-m"
    plain = chain.decision(fuser, ingested(received(post_of(text))))
    assert plain.action is Action.APPROVE
    folded = chain.decision(fuser, ingested(received(post_of(text)), disguised=True))
    assert folded.action is not Action.APPROVE
    [piece] = folded.evidence
    assert (piece.span, piece.text) == ((0, len(text)), text)


def test_evidence_in_the_title_says_so_and_the_parent_is_never_evidence(chain: Chain, fuser: FuseProcessor) -> None:
    post = post_of("hello world", title="you are scum", parent="vermin")
    decision = chain.decision(fuser, ingested(received(post)))
    assert {piece.field for piece in decision.evidence} == {"title", None}
    assert [piece.text for piece in decision.evidence] == ["you are scum", "hello world"]


@pytest.mark.parametrize(
    ("limits", "pieces", "longest"), [(EvidenceLimits(2, 300), 2, 300), (EvidenceLimits(50, 10), 6, 10)]
)
def test_evidence_is_bounded_in_number_and_length(
    chain: Chain, pack: Pack, policy: Policy, limits: EvidenceLimits, pieces: int, longest: int
) -> None:
    text = "you are all scum and vermin . " * 20
    fuser = FuseProcessor(pack, policy, code="test", limits=limits)
    decision = chain.decision(fuser, ingested(received(post_of(text))))
    assert len(decision.evidence) == pieces
    for piece in decision.evidence:
        assert piece.span is not None
        start, end = piece.span
        assert piece.text == text[start:end]
        assert end - start <= longest
    starts = [piece.span[0] for piece in decision.evidence if piece.span]
    assert starts == sorted(starts)
    assert all(index < pieces for reason in decision.reasons for index in reason.evidence)


def test_no_evidence_may_be_asked_for(chain: Chain, pack: Pack, policy: Policy) -> None:
    fuser = FuseProcessor(pack, policy, code="test", limits=EvidenceLimits(count=0))
    decision = chain.decision(fuser, ingested(received(post_of("you are scum"))))
    assert decision.action is not Action.APPROVE
    assert decision.evidence == ()


LETTERS = "good day you are all "


@pytest.mark.parametrize(
    ("text", "lang", "action"),
    [
        pytest.param("hello world", "en", Action.APPROVE, id="measured"),
        pytest.param("hello world", "de", Action.APPROVE, id="zero-shot"),
        pytest.param("hello world", "xx", Action.REVIEW, id="named as unsupported"),
        pytest.param("hello world", "tlh", Action.REVIEW, id="not named"),
        pytest.param("😀😀😀", "und", Action.APPROVE, id="emoji"),
        pytest.param("ok", "und", Action.APPROVE, id="too short to tell"),
        pytest.param("o" * MAX_UNTOLD_LETTERS, "und", Action.APPROVE, id="just short enough"),
        pytest.param("o" * (MAX_UNTOLD_LETTERS + 1), "und", Action.REVIEW, id="too long for no language"),
        pytest.param("ᏣᎳᎩ", "und", Action.REVIEW, id="short, and no token for its letters"),
        pytest.param("漢字", "en", Action.REVIEW, id="no token for its letters"),
    ],
)
def test_a_language_that_the_pack_cannot_read_is_never_approved(
    chain: Chain, lenient: FuseProcessor, text: str, lang: str, action: Action
) -> None:
    assert chain.decision(lenient, ingested(received(post_of(text)), lang=lang)).action is action


def test_an_unsupported_language_is_flagged_and_its_scores_count_for_nothing(
    chain: Chain, fuser: FuseProcessor
) -> None:
    record = chain.fused(fuser, ingested(received(post_of("hello world")), lang="tlh"))
    assert record.decision is not None
    assert record.decision.flags == ("lang.unsupported",)
    assert record.decision.confidence == 0.0
    assert record.decision.modalities["text"].confidence == 0.0
    [flag] = record.flags
    assert (flag.flag, flag.probability, flag.threshold) == ("lang.unsupported", None, None)


MEDIA = {
    kind: Media(media_id=f"m-{kind}", kind=kind, uri="https://example.org/x") for kind in ("image", "video", "audio")
}
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


def test_media_that_were_read_do_not_hold_a_harmless_text_back(chain: Chain, lenient: FuseProcessor) -> None:
    read = {"ocr": Modality(status=Status.ABSENT), "image": Modality(status=Status.OK, score=0.1)}
    record = replace(ingested(received(post_of("hello world", media=[MEDIA["image"]]))), modalities=read)
    assert chain.decision(lenient, record).action is Action.APPROVE


@pytest.mark.parametrize("text", [" ", "\u200b", "\n\n"])
def test_a_post_of_which_nothing_can_be_read_is_reviewed(chain: Chain, lenient: FuseProcessor, text: str) -> None:
    decision = chain.decision(lenient, ingested(received(post_of(text))))
    assert decision.action is Action.REVIEW
    assert decision.labels == {}
    assert decision.confidence == 0.0
    assert decision.modalities["text"].reason == "nothing in the post could be read"


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


def test_ids_are_functions_of_post_content_pack_and_policy(
    chain: Chain, fuser: FuseProcessor, lenient: FuseProcessor
) -> None:
    record = ingested(received(post_of("you are scum"), offset=1))
    again = ingested(received(post_of("you are scum"), offset=2, now_ms=5))
    first, second = chain.fused(fuser, record), chain.fused(fuser, again)
    assert first.decision is not None
    assert second.decision is not None
    assert first.decision.decision_id == second.decision.decision_id
    assert [flag.flag_id for flag in first.flags] == [flag.flag_id for flag in second.flags]
    others = [
        chain.decision(lenient, record),
        chain.decision(fuser, ingested(received(post_of("you are scum", post_id="p-2")))),
        chain.decision(fuser, ingested(received(post_of("you are scum!")))),
    ]
    assert len({first.decision.decision_id, *(other.decision_id for other in others)}) == 4


def test_all_but_source_and_times_is_the_same_for_the_same_post(chain: Chain, fuser: FuseProcessor) -> None:
    first = chain.decision(fuser, ingested(received(post_of("you are scum"), offset=1)))
    second = chain.decision(fuser, ingested(received(post_of("you are scum"), offset=9, now_ms=77)))
    assert replace(first, source=second.source, timings_ms=second.timings_ms) == second


def test_times_come_from_the_clock_that_was_given(chain: Chain, fuser: FuseProcessor) -> None:
    record = replace(ingested(received(post_of("hello"), now_ms=NOW_MS - 40)), timings_ms={"ingest": 1.5})
    decision = chain.decision(fuser, record)
    assert decision.decided_at == datetime.fromtimestamp(NOW_MS / 1000, UTC)
    assert decision.timings_ms == {"ingest": 1.5, "total": 40.0}
    ahead = chain.decision(fuser, ingested(received(post_of("hello"), now_ms=NOW_MS + 40)))
    assert ahead.timings_ms == {"total": 0.0}


def test_versions_name_all_that_made_the_decision(
    chain: Chain, pack: Pack, policy: Policy, fuser: FuseProcessor
) -> None:
    versions = chain.decision(fuser, ingested(received(post_of("hello")))).versions
    assert (versions.code, versions.pack, versions.policy) == ("test", pack.version, policy.reference)
    assert versions.layers == ("default",)
    assert versions.engines == {"text": "CPUExecutionProvider"}


POSTS = (
    ingested(received(post_of("hello world"))),
    ingested(received(post_of("you are all scum", title="vermin", parent="good day"))),
    ingested(received(post_of("hello world")), lang="tlh"),
    ingested(received(post_of(" "))),
    ingested(received(post_of("hello", media=list(MEDIA.values())))),
    ingested(received(post_of("you s-c-u-m " * 40)), disguised=True),
)


def valid(message: bytes, schema: str) -> None:
    jsonschema.validate(json.loads(message), json.loads((SCHEMAS / f"{schema}-1.schema.json").read_text()))


@pytest.mark.parametrize("record", POSTS)
def test_messages_are_valid_for_their_schemas(chain: Chain, fuser: FuseProcessor, record: Record) -> None:
    done = chain.fused(fuser, record)
    messages = decision_messages(done)
    valid(messages.decision, "decision")
    valid(messages.confidence, "confidence")
    for flag in messages.flags:
        valid(flag, "flag")
    assert decode_decision(messages.decision) == done.decision
    assert [decode_flag(flag) for flag in messages.flags] == list(done.flags)
    assert done.decision is not None
    assert confidence_of(done.decision).combined == done.decision.labels


def test_messages_over_the_limit_go_without_their_evidence(chain: Chain, fuser: FuseProcessor) -> None:
    done = chain.fused(fuser, ingested(received(post_of("you are all scum " * 40))))
    assert done.decision is not None
    assert done.decision.evidence
    full = len(encode_decision(done.decision))
    decision = decode_decision(decision_messages(done, max_bytes=full - 1).decision)
    assert decision.evidence == ()
    assert all(reason.evidence == () for reason in decision.reasons)
    assert (decision.action, decision.labels, decision.flags) == (
        done.decision.action,
        done.decision.labels,
        done.decision.flags,
    )


def test_messages_that_stay_too_large_are_a_dead_letter(chain: Chain, fuser: FuseProcessor) -> None:
    done = chain.fused(fuser, ingested(received(post_of("you are scum"))))
    with pytest.raises(ProcessingError, match="bytes without evidence; expected at most 100") as caught:
        decision_messages(done, max_bytes=100)
    assert caught.value.cause == "too_large"


def test_a_record_without_a_decision_has_no_messages() -> None:
    with pytest.raises(ValueError, match="no decision"):
        decision_messages(POSTS[0])


def test_a_record_that_ingest_has_not_seen_is_an_error(fuser: FuseProcessor) -> None:
    with pytest.raises(ProcessingError, match="expected ingest to run before fuse"):
        fuser.prepare(received(post_of("hello")))


def test_logits_of_another_pack_are_an_error(chain: Chain, fuser: FuseProcessor) -> None:
    record = chain.encoded(ingested(received(post_of("hello"))))
    section = EncodeSection(logits=np.zeros((1, 2), np.float32), embedding=np.zeros(8, np.float32))
    with pytest.raises(ProcessingError, match="logits of 2 heads; expected the 3"):
        fuser.prepare(replace(record, encode=section))


def test_rules_that_cannot_be_evaluated_are_counted_and_the_post_reviewed(chain: Chain, pack: Pack) -> None:
    yaml = APPROVE_ALL.replace(
        "default: {}",
        "default:\n    rules:\n      r:\n        when: features.missing > 1.0\n"
        "        action: block\n        code: c\n        message: {en: text}",
    )
    fuser = FuseProcessor(pack, parse_policy(yaml.encode(), "broken.yaml", pack.manifest.thresholds), code="test")
    decision = chain.decision(fuser, ingested(received(post_of("hello world"))))
    assert decision.action is Action.REVIEW
    assert fuser.policy_errors == {"r": 1}
