"""Decisions of posts with pictures: labels of several experts, known content, languages of lines, facts for rules."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from processors.contract import ProcessingError
from processors.fuse import FuseProcessor
from processors.fuse.scores import Judge
from processors.pack.features import FEATURES
from processors.packs import Pack
from processors.policy import parse_policy
from schemas import LABELS, Action, Modality, Status
from tests.fused import LENIENT, Chain, decided
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, known_as, looked_at, with_pictures

HARMLESS = (-9.0, -9.0)


def test_what_is_written_in_a_picture_counts_like_what_is_posted(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["you are", "all scum"]), text="hello world")), [HARMLESS])
    decision = decided(seer, record)
    assert decision.action is not Action.APPROVE
    assert decision.flags == ("abuse", "hate")


def test_a_line_without_its_neighbours_says_where_to_look_and_does_not_decide(
    chain: Chain, seer: FuseProcessor
) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["hello", "good day"]))), [HARMLESS])
    assert record.pack is not None
    assert record.encode is not None
    logits = record.encode.logits.copy()
    logits[[at for at, window in enumerate(record.pack.windows) if window.line == 1]] = 9.0
    decision = decided(seer, replace(record, encode=replace(record.encode, logits=logits)))
    assert decision.action is Action.APPROVE
    assert decision.labels["hate"] < 0.1
    assert [piece.score > 0.9 for piece in decision.evidence] == [False, True]


def test_a_score_is_missed_only_where_there_was_something_to_judge(chain: Chain, seeing_pack: Pack) -> None:
    judge = Judge(seeing_pack)
    assert judge.expected(chain.encoded(with_pictures(Shot(["hello"])))) == {"abuse", "hate", "sexual"}
    assert judge.expected(chain.encoded(with_pictures(Shot()))) == {"sexual"}
    assert judge.expected(chain.encoded(ingested(received(post_of("hello"))))) == {"abuse", "hate"}
    assert judge.expected(chain.encoded(ingested(received(post_of(" "))))) == set()


def test_sexual_is_told_from_the_worst_of_the_pictures(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(Shot(), Shot(media_id="m-2"), text="hello world"))
    decision = decided(seer, looked_at(record, [HARMLESS, (4.0, 9.0)]))
    assert decision.labels["sexual"] == round(1 / (1 + np.exp(-4.0)), 3)
    assert decision.flags == ("sexual",)
    assert decision.action is Action.REVIEW
    assert set(decision.labels) == {"abuse", "hate", "sexual"}


def test_a_label_is_assessed_where_its_expert_had_something_to_judge(chain: Chain, seer: FuseProcessor) -> None:
    text = chain.decision(seer, ingested(received(post_of("hello world"))))
    photo = decided(seer, looked_at(chain.encoded(with_pictures(Shot())), [HARMLESS]))
    assert set(text.labels) == {"abuse", "hate"}
    assert set(photo.labels) == {"sexual"}
    for decision in (text, photo):
        assert decision.action is Action.APPROVE
        assert set(decision.labels).isdisjoint(decision.not_assessed)
        assert {*decision.labels, *decision.not_assessed} == set(LABELS)


def test_versions_name_every_engine_that_ran(chain: Chain, seer: FuseProcessor) -> None:
    decision = decided(seer, looked_at(chain.encoded(with_pictures(Shot(["good day"]))), [HARMLESS]))
    assert decision.versions.engines == {
        "text": "CPUExecutionProvider",
        "image": "LookProvider",
        "ocr": "CPUExecutionProvider",
    }


def test_the_language_of_a_post_without_text_is_that_of_its_pictures(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(Shot(["der hund"]), lang="und", told="de"))
    assert decided(seer, looked_at(record, [HARMLESS])).lang == "de"


@pytest.mark.parametrize("told", ["xx", "tlh"])
@pytest.mark.parametrize("text", [None, "hello world"])
def test_lines_in_a_language_that_the_pack_does_not_read_are_unsafe(
    chain: Chain, seer: FuseProcessor, text: str | None, told: str
) -> None:
    record = chain.encoded(with_pictures(Shot(["hello world"]), text=text, told=told))
    decision = decided(seer, looked_at(record, [HARMLESS]))
    assert decision.action is Action.REVIEW
    assert decision.modalities["ocr"].status is Status.UNSAFE
    assert decision.modalities["ocr"].confidence == 0.0
    assert told in (decision.modalities["ocr"].reason or "")
    assert decision.flags == ("lang.unsupported",)
    assert decision.modalities["text"].status is (Status.ABSENT if text is None else Status.OK)


def test_an_unread_language_adds_to_what_was_said_before_and_does_not_weaken_it(
    chain: Chain, seer: FuseProcessor
) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["hello world"]), told="tlh")), [HARMLESS])
    failed = {"ocr": Modality(status=Status.FAILED, reason="m-2: gone")}
    ocr = decided(seer, replace(record, modalities=failed)).modalities["ocr"]
    assert ocr.status is Status.FAILED
    assert (ocr.reason or "").startswith("m-2: gone; the pack does not read")


def test_known_content_is_a_flag_per_list_without_a_probability_and_is_reviewed(
    chain: Chain, seer: FuseProcessor
) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(), text="hello world")), [HARMLESS])
    done = seer.prepare(known_as(record, "terror", "csam", "terror"))
    assert done.decision is not None
    assert done.decision.action is Action.REVIEW
    assert done.decision.flags == ("known.csam", "known.terror")
    assert [reason.rule for reason in done.decision.reasons] == ["known-content-review"]
    assert [(flag.flag, flag.probability, flag.threshold) for flag in done.flags] == [
        ("known.csam", None, None),
        ("known.terror", None, None),
    ]
    assert done.decision.modalities["image"].status is Status.OK


def ruled(pack: Pack, when: str, action: str) -> FuseProcessor:
    rule = f"default: {{rules: {{r: {{when: '{when}', action: {action}, message: {{en: text}}}}}}}}"
    policy = parse_policy(LENIENT.replace("default: {}", rule).encode(), "rule.yaml", pack.thresholds, FEATURES)
    return FuseProcessor(pack, policy, code="test")


@pytest.mark.parametrize(("listed", "action"), [("terror", Action.BLOCK), ("other", Action.APPROVE)])
def test_a_policy_may_block_on_a_list(chain: Chain, seeing_pack: Pack, listed: str, action: Action) -> None:
    fuser = ruled(seeing_pack, '"known.terror" in flags', "block")
    record = known_as(looked_at(chain.encoded(with_pictures(Shot())), [HARMLESS]), listed)
    assert decided(fuser, record).action is action


def test_rules_may_ask_for_picture_features_of_any_post(chain: Chain, seeing_pack: Pack) -> None:
    fuser = ruled(seeing_pack, "features.ocr_lines >= 2.0", "block")
    two = looked_at(chain.encoded(with_pictures(Shot(["hello", "world"]))), [HARMLESS])
    assert decided(fuser, two).action is Action.BLOCK
    assert chain.decision(fuser, ingested(received(post_of("hello world")))).action is Action.APPROVE
    assert fuser.policy_errors == {}


def test_logits_of_other_pictures_are_an_error(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(Shot()))
    with pytest.raises(ProcessingError, match="2 rows of logits; expected 1"):
        seer.prepare(looked_at(record, [HARMLESS, HARMLESS]))
    with pytest.raises(ProcessingError, match="image logits of 1 heads; expected the 2"):
        seer.prepare(looked_at(record, [(1.0,)]))
