"""What counts for whom in the topics."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from processors.canary import TAKEN_BACK
from schemas import Action, DeadLetterHeaders, encode_decision
from schemas import Versions as DecisionVersions
from streams.canary import Report, Side
from streams.canary.report import add_dead_letter, add_decision
from streams.reader import Read
from tests.worker.parts import decision_on, record_of

LIVE, CANARY = ("live@1", "mild@1"), ("live@1", "strict@2")


@pytest.fixture
def report() -> Report:
    return Report(canary=Side(" ".join(CANARY)), live=Side(" ".join(LIVE)))


def decision(
    versions: tuple[str, str], action: Action = Action.APPROVE, timings_ms: dict[str, float] | None = None
) -> bytes:
    pack, policy = versions
    return encode_decision(
        decision_on(
            record_of(),
            action=action,
            versions=DecisionVersions(code="1", pack=pack, policy=policy, layers=("default",)),
            timings_ms={"total": 12.0, **(timings_ms or {})},
            decided_at=datetime(2026, 11, 22, tzinfo=UTC),
        )
    )


def letter(cause: str, versions: tuple[str, str]) -> Read:
    headers = DeadLetterHeaders(stage="fuse", cause=cause, pack=versions[0], policy=versions[1]).to_headers()
    return Read("moderation.dead-letters", 0, 0, 0, b"p", b"{}", tuple(headers))


def test_decisions_count_for_the_pack_and_policy_that_made_them(report: Report) -> None:
    add_decision(report, decision(CANARY, Action.BLOCK), {})
    add_decision(report, decision(LIVE), {})
    add_decision(report, decision(LIVE), {})
    add_decision(report, decision(("live@1", "another@3")), {})
    assert (dict(report.canary.actions), dict(report.live.actions), report.others) == ({"block": 1}, {"approve": 2}, 1)
    assert list(report.canary.totals_ms) == [12.0]


def test_a_decision_that_was_taken_back_is_the_canarys_failure_and_nobodys_latency(report: Report) -> None:
    add_decision(report, decision(LIVE, timings_ms={TAKEN_BACK: 40.0}), {})
    assert report.canary.failures == {"taken_back": 1}
    assert report.live.decisions == 0


def test_feedback_says_whether_people_agree(report: Report) -> None:
    for action in (Action.BLOCK, Action.APPROVE):
        add_decision(report, decision(CANARY, action), {"d-1": Action.BLOCK})
    add_decision(report, decision(LIVE), {})
    assert (report.canary.reviewed, report.canary.agreed, report.live.reviewed) == (2, 1, 0)


def test_dead_letters_count_for_what_ran_and_invalid_posts_for_nobody(report: Report) -> None:
    add_dead_letter(report, letter("poison", CANARY))
    add_dead_letter(report, letter("invalid_post", CANARY))
    add_dead_letter(report, letter("retries_exhausted", LIVE))
    add_dead_letter(report, letter("poison", ("other@9", "mild@1")))
    add_dead_letter(report, Read("moderation.dead-letters", 0, 0, 0, None, None, ()))
    assert (report.canary.failures, report.live.failures) == ({"poison": 1}, {"retries_exhausted": 1})


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[]", b'{"decision_id": 4}', b"[" * 100_000])
def test_what_is_no_decision_is_counted_and_passed(report: Report, value: bytes) -> None:
    add_decision(report, value, {})
    assert report.unreadable == 1


def test_deletes_count_for_nobody(report: Report) -> None:
    add_decision(report, None, {})
    assert (report.unreadable, report.others, report.live.decisions) == (0, 0, 0)
