"""The fuse stage: calibrated probabilities, a verdict, and a decision that says what made it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from msgspec.structs import replace

from processors.contract import ProcessingError
from processors.fuse import FuseProcessor
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from processors.policy import Policy, parse_policy
from schemas import LABELS, Action, EncodeSection
from tests.fused import LENIENT, NOW_MS, Chain
from tests.ingested import ingested, post_of, received


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


def test_a_record_that_ingest_has_not_seen_is_an_error(fuser: FuseProcessor) -> None:
    with pytest.raises(ProcessingError, match="expected ingest to run before fuse"):
        fuser.prepare(received(post_of("hello")))


def test_logits_of_another_pack_are_an_error(chain: Chain, fuser: FuseProcessor) -> None:
    record = chain.encoded(ingested(received(post_of("hello"))))
    section = EncodeSection(logits=np.zeros((1, 2), np.float32), embedding=np.zeros(8, np.float32))
    with pytest.raises(ProcessingError, match="logits of 2 heads; expected the 3"):
        fuser.prepare(replace(record, encode=section))


def test_rules_that_cannot_be_evaluated_are_counted_and_the_post_reviewed(chain: Chain, pack: Pack) -> None:
    yaml = LENIENT.replace(
        "default: {}",
        "default:\n    rules:\n      r:\n        when: features.missing > 1.0\n"
        "        action: block\n        code: c\n        message: {en: text}",
    )
    fuser = FuseProcessor(pack, parse_policy(yaml.encode(), "broken.yaml", pack.manifest.thresholds), code="test")
    decision = chain.decision(fuser, ingested(received(post_of("hello world"))))
    assert decision.action is Action.REVIEW
    assert fuser.policy_errors == {"r": 1}
