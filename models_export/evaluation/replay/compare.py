"""What a replay changes, from its pairs alone. Pure: the same pairs give the same report."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from models_export.evaluation.replay.people import Feedback, People
from models_export.evaluation.replay.tallies import (
    ActionChange,
    Curve,
    FlagChange,
    GroupChange,
    LabelShift,
    Tally,
    differs,
    share_of,
)
from models_export.measures.bootstrap import RESAMPLES, Estimate
from schemas import ACTION_ORDER, Action
from schemas.replay import Judged, Pair
from schemas.source import Source

MOST = 50
"""Posts that are named because they changed most."""

MAX_VERSIONS = 50
"""Of packs and of policies."""

PERCENTILES = (50, 95, 99)


class ChangedPost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the posts that changed most."""

    post_id: str
    source: Source
    tenant: str
    lang: str | None
    was: Action
    now: Action
    raised: list[str]
    dropped: list[str]
    label: str | None
    """Whose score moved most, `from_score` to `to_score`; None where none moved."""
    from_score: float | None
    to_score: float | None
    verdict: Action | None = None
    """What a person said."""
    text: str | None = None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Of the published decisions, from receipt to decision, in milliseconds."""

    posts: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`replay-report/1`."""

    schema: str = "replay-report/1"
    question: dict[str, object]
    """What was asked, as it was asked."""
    packs: dict[str, int]
    """Of the published decisions: `name@hash` -> posts; so are the policies."""
    policies: dict[str, int]
    counts: dict[str, int]
    """What was read and not compared, and why."""
    decisions: int
    """Published decisions in the selection."""
    compared: int
    undecided: dict[str, int]
    """Reason -> posts that were not judged again."""
    actions: list[ActionChange]
    changed: int
    changed_share: Estimate
    """Of the posts that were compared: those whose action is another, with a 95% interval."""
    differing: int
    """Posts whose action, flags or severity are another."""
    severity_changed: int
    severity_unknown: int
    labels: list[LabelShift]
    flags: list[FlagChange]
    languages: list[GroupChange]
    languages_left_out: int
    tenants: list[GroupChange]
    tenants_left_out: int
    curves: list[Curve]
    most: list[ChangedPost]
    feedback: Feedback | None
    resamples: int = RESAMPLES
    published_latency: Latency | None


def compared(pairs: Iterable[Pair], question: Mapping[str, object], counts: Mapping[str, int]) -> Report:
    """`counts`: what of the selection makes no pair."""
    tally, people = Tally(), People()
    packs: Counter[str] = Counter()
    policies: Counter[str] = Counter()
    undecided: Counter[str] = Counter()
    took_ms = array("d")
    most: list[tuple[tuple[float, ...], int, Pair]] = []
    decisions = 0
    for at, pair in enumerate(pairs):
        decisions += 1
        packs[pair.pack] += 1
        policies[pair.policy] += 1
        if pair.was_ms is not None:
            took_ms.append(pair.was_ms)
        if pair.now is None:
            undecided[pair.undecided or "failed"] += 1
            continue
        tally.add(pair, pair.now)
        people.add(pair, pair.now)
        if (how := _how_much(pair.was, pair.now)) is not None:
            # Of the same change, the first in the order of the pairs.
            entry = (how, -at, pair)
            (heapq.heappush if len(most) < MOST else heapq.heappushpop)(most, entry)
    return Report(
        question=dict(question),
        packs=_largest(packs),
        policies=_largest(policies),
        counts=dict(counts),
        decisions=decisions,
        compared=tally.posts,
        undecided=dict(sorted(undecided.items())),
        actions=tally.actions,
        changed=tally.changed,
        changed_share=share_of(tally.changed, tally.posts),
        differing=tally.differing,
        severity_changed=tally.severity_changed,
        severity_unknown=tally.severity_unknown,
        labels=tally.labels,
        flags=tally.flags,
        languages=tally.groups("language"),
        languages_left_out=tally.left_out("language"),
        tenants=tally.groups("tenant"),
        tenants_left_out=tally.left_out("tenant"),
        curves=tally.curves,
        most=[_named(pair) for _, _, pair in sorted(most, key=lambda entry: entry[:2], reverse=True)],
        feedback=people.feedback,
        published_latency=_latency(took_ms),
    )


def _largest(versions: Counter[str]) -> dict[str, int]:
    """By name; the many that a topic may hold are cut to those of most posts."""
    found = sorted(versions.items(), key=lambda item: (-item[1], item[0]))[:MAX_VERSIONS]
    return dict(sorted(found))


def _how_much(was: Judged, now: Judged) -> tuple[float, ...] | None:
    """More is more: steps between actions, then flags that differ, then the largest shift of a score."""
    shift = _largest_shift(was, now)
    if not differs(was, now) and shift is None:
        return None
    steps = abs(ACTION_ORDER.index(was.action) - ACTION_ORDER.index(now.action))
    moved = abs(shift[2] - shift[1]) if shift is not None else 0.0
    return (steps, len(set(was.flags) ^ set(now.flags)), round(moved, 6))


def _largest_shift(was: Judged, now: Judged) -> tuple[str, float, float] | None:
    both = [(label, score, now.labels[label]) for label, score in was.labels.items() if label in now.labels]
    moved = [of for of in both if of[1] != of[2]]
    return max(moved, key=lambda of: (abs(of[2] - of[1]), of[0])) if moved else None


def _named(pair: Pair) -> ChangedPost:
    was, now = pair.was, pair.now
    if now is None:
        raise TypeError("a post that was not judged again cannot have changed")
    label, score, other = _largest_shift(was, now) or (None, None, None)
    return ChangedPost(
        post_id=pair.post_id,
        source=pair.source,
        tenant=pair.tenant,
        lang=pair.lang,
        was=was.action,
        now=now.action,
        raised=sorted(set(now.flags) - set(was.flags)),
        dropped=sorted(set(was.flags) - set(now.flags)),
        label=label,
        from_score=score,
        to_score=other,
        verdict=pair.said.verdict if pair.said is not None else None,
        text=pair.text,
    )


def _latency(took_ms: array[float]) -> Latency | None:
    if not took_ms:
        return None
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(took_ms, PERCENTILES))
    return Latency(posts=len(took_ms), p50_ms=p50, p95_ms=p95, p99_ms=p99)
