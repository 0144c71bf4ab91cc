"""The lines of a decision's pictures: every one that was read, where it stands, and what it says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from processors.fuse import EvidenceLimits, FuseProcessor
from processors.packs import Pack
from processors.policy import Policy
from schemas import Action, Evidence
from tests.fused import Chain, decided
from tests.pictured import Shot, looked_at, with_pictures

HARMLESS = (-9.0, -9.0)


def lines(evidence: tuple[Evidence, ...]) -> list[str | None]:
    return [piece.text for piece in evidence if piece.modality == "ocr"]


def test_every_line_is_shown_with_its_place_its_own_score_and_how_well_it_was_read(
    chain: Chain, seer: FuseProcessor
) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["hello world", "you scum"], confidence=0.8))), [HARMLESS])
    decision = decided(seer, record)
    good, bad = decision.evidence
    assert (good.modality, good.media_id, good.text, good.bbox) == (
        "ocr",
        "m-1",
        "hello world",
        (0.0, 0.0, 150.0, 20.0),
    )
    assert (bad.text, bad.bbox, bad.confidence) == ("you scum", (0.0, 20.0, 150.0, 20.0), 0.8)
    assert good.score < 0.1 < 0.9 < bad.score


def test_lines_are_shown_of_a_post_that_is_approved_too(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(Shot(["hello world", "good day"]), text="you are all"))
    decision = decided(seer, looked_at(record, [HARMLESS]))
    assert decision.action is Action.APPROVE
    assert [piece.text for piece in decision.evidence] == ["hello world", "good day"]


def test_a_reason_and_a_flag_rest_on_the_line_that_speaks_for_them(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["hello world", "you scum"]), text="good day")), [HARMLESS])
    done = seer.prepare(record)
    assert done.decision is not None
    assert lines(done.decision.evidence) == ["hello world", "you scum"]
    [bad] = [at for at, piece in enumerate(done.decision.evidence) if piece.text == "you scum"]
    assert {reason.evidence for reason in done.decision.reasons} == {(bad,)}
    assert {flag.evidence for flag in done.flags} == {(done.decision.evidence[bad],)}


def test_own_text_that_is_harmless_alone_is_no_evidence_against_the_post(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["you scum", "good day"]), text="hello world")), [HARMLESS])
    decision = decided(seer, record)
    assert decision.action is not Action.APPROVE
    assert {piece.modality for piece in decision.evidence} == {"ocr"}


def test_a_text_that_speaks_for_a_label_is_shown_beside_the_lines(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["hello world", "good day"]), text="you scum")), [HARMLESS])
    decision = decided(seer, record)
    assert [(piece.modality, piece.text) for piece in decision.evidence] == [
        ("text", "you scum"),
        ("ocr", "hello world"),
        ("ocr", "good day"),
    ]
    assert {reason.evidence for reason in decision.reasons} == {(0,)}


def test_a_single_line_is_scored_by_the_window_that_shows_it(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["you scum"]))), [HARMLESS])
    [piece] = decided(seer, record).evidence
    assert piece.score > 0.9


def test_lines_of_frames_are_shown_once_and_say_from_when_to_when(chain: Chain, seer: FuseProcessor) -> None:
    frames = [Shot(["hello world"], t=0.0), Shot(["hello world", "you scum"], t=0.5), Shot(["you scum"], t=1.5)]
    record = looked_at(chain.encoded(with_pictures(*frames)), [HARMLESS] * 3)
    evidence = decided(seer, record).evidence
    assert [(piece.text, piece.t_start, piece.t_end) for piece in evidence] == [
        ("hello world", 0.0, 0.5),
        ("you scum", 0.5, 1.5),
    ]


def test_a_still_has_no_times(chain: Chain, seer: FuseProcessor) -> None:
    record = looked_at(chain.encoded(with_pictures(Shot(["hello world"]))), [HARMLESS])
    assert [(piece.t_start, piece.t_end) for piece in decided(seer, record).evidence] == [(None, None)]


def test_frames_that_speak_for_a_label_say_when(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(*(Shot(t=float(at)) for at in range(3)), text="hello world"))
    [frame] = decided(seer, looked_at(record, [HARMLESS, (4.0, 0.0), HARMLESS])).evidence
    assert (frame.modality, frame.t_start) == ("image", 1.0)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_over_the_limit_the_highest_scores_stay_in_reading_order(
    chain: Chain, pack: Pack, policy: Policy, count: int
) -> None:
    fuser = FuseProcessor(pack, policy, code="test", limits=EvidenceLimits(count=count, chars=9))
    decision = chain.decision(fuser, with_pictures(Shot(["hello", "you scum", "good day", "vermin"])))
    shown = lines(decision.evidence)
    assert shown == [text for text in ("hello", "you scum", "good day", "vermin") if text in shown]
    assert len(shown) == count
    assert count == 1 or {"you scum", "vermin"} <= set(shown)
    assert all(index < count for reason in decision.reasons for index in reason.evidence)


def test_a_long_line_is_cut(chain: Chain, pack: Pack, policy: Policy) -> None:
    fuser = FuseProcessor(pack, policy, code="test", limits=EvidenceLimits(chars=5))
    assert lines(chain.decision(fuser, with_pictures(Shot(["hello world"]))).evidence) == ["hello"]


def test_lines_that_nothing_has_judged_are_shown_all_the_same(chain: Chain, seer: FuseProcessor) -> None:
    record = replace(chain.encoded(with_pictures(Shot(["you scum", "good day"]))), encode=None)
    decision = decided(seer, record)
    assert decision.action is Action.REVIEW
    assert [(piece.text, piece.score) for piece in decision.evidence] == [("you scum", 0.0), ("good day", 0.0)]


def test_of_several_pictures_the_one_that_speaks_for_a_label_is_named(chain: Chain, seer: FuseProcessor) -> None:
    record = chain.encoded(with_pictures(Shot(), Shot(media_id="m-2"), text="hello world"))
    decision = decided(seer, looked_at(record, [HARMLESS, (4.0, 0.0)]))
    [at] = [at for at, piece in enumerate(decision.evidence) if piece.modality == "image"]
    assert (decision.evidence[at].media_id, decision.evidence[at].score) == ("m-2", decision.labels["sexual"])
    assert [reason.evidence for reason in decision.reasons if reason.code == "sexual"] == [(at,)]
