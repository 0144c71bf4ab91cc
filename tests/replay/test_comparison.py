"""What two judgements of the same posts come to, from pairs made by hand."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_export.evaluation.replay import compared, report_page
from models_export.evaluation.replay.compare import MOST
from models_export.evaluation.replay.tallies import MAX_GROUPS, Tally
from schemas import ACTION_ORDER, Action, Source
from schemas.replay import Judged, Pair, Said, decode_pair, encode_pair
from streams.privacy import AuthorHash
from streams.settings import Secret

A, R, B = ACTION_ORDER


def judged(action: Action = A, flags: tuple[str, ...] = (), severity: int | None = 0, **labels: float) -> Judged:
    return Judged(action=action, labels=labels, flags=flags, severity=severity, rules=())


def pair(at: int = 0, was: Judged | None = None, now: Judged | None = None, **other: Any) -> Pair:
    fields: dict[str, Any] = {"tenant": "default", "lang": "en", "pack": "p@1", "policy": "q@1", **other}
    return Pair(
        post_id=f"p-{at}",
        source=Source(topic="t", partition=0, offset=at, timestamp_ms=at),
        decision_id=f"d-{at}",
        was=was or judged(),
        now=now,
        **fields,
    )


actions = st.sampled_from(ACTION_ORDER)
judgements = st.builds(
    Judged,
    action=actions,
    labels=st.dictionaries(st.sampled_from(["abuse", "hate", "new"]), st.floats(0, 1).map(lambda p: round(p, 3))),
    flags=st.lists(st.sampled_from(["abuse", "hate.race", "odd"]), unique=True).map(tuple),
    severity=st.none() | st.integers(0, 4),
    rules=st.just(()),
)
people = st.none() | st.builds(
    Said,
    verdict=actions,
    labels=st.dictionaries(st.sampled_from(["abuse", "hate"]), st.booleans()),
    about=st.sampled_from(["decision", "post"]),
)
pairs_of_any_kind = st.lists(
    st.tuples(judgements, st.none() | judgements, people, st.sampled_from(["en", "de", None])), max_size=30
).map(
    lambda rows: [
        pair(at, was, now, said=said, lang=lang, undecided=None if now is not None else "gating")
        for at, (was, now, said, lang) in enumerate(rows)
    ]
)


@given(pairs_of_any_kind)
def test_every_pair_is_counted_once_and_figures_are_numbers(pairs: list[Pair]) -> None:
    report = compared(pairs, {"mode": "chain"}, {})
    assert report.decisions == len(pairs)
    assert report.compared + sum(report.undecided.values()) == report.decisions
    assert sum(of.posts for of in report.actions) == report.compared
    assert sum(of.posts for of in report.languages) == sum(of.posts for of in report.tenants) == report.compared
    assert report.changed <= report.differing <= report.compared
    again = compared([decode_pair(encode_pair(of)) for of in pairs], {"mode": "chain"}, {})
    assert msgspec.json.encode(again) == msgspec.json.encode(report)
    assert b"NaN" not in msgspec.json.encode(report)
    assert report_page(report, {}) == report_page(again, {})


@pytest.mark.parametrize(("was", "now"), list(itertools.product(ACTION_ORDER, repeat=2)))
def test_the_matrix_has_then_in_its_rows(was: Action, now: Action) -> None:
    report = compared([pair(0, judged(was), judged(now))], {}, {})
    assert [(of.was, of.now) for of in report.actions if of.posts] == [(was, now)]
    assert report.changed == (was is not now)


def test_a_label_that_only_one_of_the_two_assesses_is_no_shift() -> None:
    report = compared([pair(0, judged(abuse=0.5, hate=0.1), judged(abuse=0.75, spam=0.9))], {}, {})
    assert {of.label: (of.posts, of.mean, of.only_was, of.only_now) for of in report.labels} == {
        "abuse": (1, 0.25, 0, 0),
        "hate": (0, None, 1, 0),
        "spam": (0, None, 0, 1),
    }


def test_memory_hangs_on_the_scores_that_there_are_and_not_on_the_posts() -> None:
    tally, other = Tally(), pair(0, judged(abuse=0.1), judged(abuse=0.3))
    many = pair(0, judged(abuse=0.5, hate=0.25), judged(abuse=0.75, hate=0.25))
    assert many.now is not None
    assert other.now is not None
    tally.add(many, many.now)
    tracemalloc.start()
    for _ in range(10_000):
        tally.add(many, many.now)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000
    tally.add(other, other.now)
    shift = {of.label: of for of in tally.labels}["abuse"]
    assert (shift.posts, shift.mean, shift.largest, shift.moved) == (10_002, 0.249995, 0.25, 10_002)
    (curve,) = tally.curves
    assert (curve.was[4], curve.was[5], curve.was[25], curve.now[37], curve.now[38]) == (0.0, 0.0001, 1.0, 0.0001, 1.0)


def test_the_posts_that_changed_most_come_first_and_are_a_bounded_number() -> None:
    small = [pair(at, judged(abuse=0.1), judged(abuse=0.2)) for at in range(MOST)]
    report = compared(
        [
            *small,
            pair(100, judged(flags=("abuse",), abuse=0.6), judged(flags=("hate",), abuse=0.5)),
            pair(101, judged(A), judged(B)),
            pair(102, judged(A), judged(R)),
            pair(103, judged(abuse=0.4), judged(abuse=0.4)),
        ],
        {},
        {},
    )
    assert [of.post_id for of in report.most][:4] == ["p-101", "p-102", "p-100", "p-0"]
    assert len(report.most) == MOST
    assert "p-103" not in {of.post_id for of in report.most}
    assert (report.most[2].raised, report.most[2].dropped) == (["hate"], ["abuse"])


def test_a_severity_that_nobody_can_tell_is_no_change() -> None:
    report = compared(
        [pair(0, judged(severity=2), judged(severity=None)), pair(1, judged(), judged(severity=1))], {}, {}
    )
    assert (report.severity_unknown, report.severity_changed, report.differing) == (1, 1, 1)


def test_the_difference_is_paired() -> None:
    """Where the new judgement is right in exactly the cases in which the old one is, nothing is left to chance."""
    said = [Said(verdict=R if at % 2 else A, about="decision") for at in range(200)]
    wrong = [of if at % 5 else judged(B if of.action is A else A) for at, of in enumerate(map(_as_said, said))]
    same = compared([pair(at, of, of, said=said[at]) for at, of in enumerate(wrong)], {}, {})
    better = compared([pair(at, of, _as_said(said[at]), said=said[at]) for at, of in enumerate(wrong)], {}, {})
    for report, low in ((same, 0.0), (better, 0.1)):
        assert report.feedback is not None
        figures = {of.name: of for of in report.feedback.questions[0].figures}
        accuracy = figures["accuracy"].difference
        assert accuracy.low is not None
        assert accuracy.low >= low
    assert same.feedback is not None
    assert {of.difference.high for of in same.feedback.questions[0].figures} == {0.0}


def _as_said(said: Said) -> Judged:
    return judged(said.verdict)


def test_what_others_named_stays_text_in_the_page() -> None:
    evil = "<script>alert(1)</script>\u202e"
    of = pair(0, judged(A, flags=(evil,)), judged(B), tenant=evil, lang=evil, pack=evil, text=evil)
    report = compared([msgspec.structs.replace(of, post_id=evil)], {"tenants": [evil]}, {})
    shown = report_page(report, {})
    assert "<script" not in shown
    assert "\u202e" not in shown


def test_a_flood_of_tenants_is_cut_and_said_to_be() -> None:
    report = compared([pair(at, now=judged(), tenant=f"t-{at}") for at in range(MAX_GROUPS + 7)], {}, {})
    assert (len(report.tenants), report.tenants_left_out) == (MAX_GROUPS, 7)


def test_nothing_to_compare_is_no_division_by_nothing() -> None:
    report = compared([], {}, {})
    assert (report.decisions, report.changed_share.value, report.feedback) == (0, None, None)
    assert "0 of 0 published decisions" in report_page(report, {})


def test_author_hashes_hang_on_key_tenant_and_author() -> None:
    hashes = AuthorHash(Secret("key"))
    assert hashes.of("acme", "u-1") == hashes.of("acme", "u-1")
    people = (("acme", "u-1"), ("acme", "u-2"), ("other", "u-1"), ("acmeu", "-1"))
    assert len({hashes.of(*who) for who in people}) == len(people)
    assert hashes.of("acme", "u-1") != AuthorHash(Secret("other key")).of("acme", "u-1")
    assert hashes.of("acme", None) is None
    assert AuthorHash(None).of("acme", "u-1") is None


def test_an_author_hash_is_hmac_sha_256() -> None:
    expected = hmac.new(b"Jefe", b"7:defaultu-1", hashlib.sha256).hexdigest()[:24]
    assert AuthorHash(Secret("Jefe")).of("default", "u-1") == expected
