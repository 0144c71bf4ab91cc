"""Counts over pairs that stand for themselves: what became of actions, labels and flags. Pure; one pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_export.measures.bootstrap import Estimate, estimate
from schemas import ACTION_ORDER, LABELS, Action
from schemas.replay import Judged, Pair

MOVED = 0.05
"""A score that differs by more has moved: less is what machines and batches differ by, and a little."""

MAX_GROUPS = 40
"""Of languages, of tenants: the largest. Senders name tenants; a report is read by a person."""

MAX_NAMES = 100
"""Of labels and of flags: far more than a pack and a policy have."""

GRID = 50
"""Steps between 0 and 1 of the curves of scores."""


class ActionChange(msgspec.Struct, frozen=True, kw_only=True):
    was: Action
    now: Action
    posts: int


class LabelShift(msgspec.Struct, frozen=True, kw_only=True):
    """A label over the posts on which both judgements have a score for it."""

    label: str
    posts: int
    only_was: int
    """Posts on which only the published decision has a score; `only_now` is the other way round."""
    only_now: int
    mean: float | None
    """Of now minus was."""
    mean_absolute: float | None
    largest: float | None
    moved: int
    """Posts on which it differs by more than `MOVED`."""
    flagged_was: int
    flagged_now: int
    raised: int
    """Posts on which it is a flag now and was none; `dropped` is the other way round."""
    dropped: int


class FlagChange(msgspec.Struct, frozen=True, kw_only=True):
    flag: str
    was: int
    now: int
    raised: int
    dropped: int


class GroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """The posts of one language or tenant."""

    name: str
    posts: int
    changed: int
    """Posts whose action is another."""
    share: Estimate
    """Of those, with its 95% interval."""
    not_approved_was: int
    not_approved_now: int
    flags_changed: int
    shifts: dict[str, float]
    """Label -> mean of now minus was."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """For scores 0, 0.02, … 1: the share of posts with at most that score."""

    label: str
    was: list[float]
    now: list[float]


class Tally:
    """Counts pairs as they come; all of them have been judged again."""

    def __init__(self) -> None:
        self.posts = 0
        self.differing = 0
        """Posts whose action, flags or severity are another."""
        self.severity_changed = 0
        self.severity_unknown = 0
        self._actions: Counter[tuple[Action, Action]] = Counter()
        # Probabilities have 3 decimals: however many posts there are, there are few pairs of them.
        self._scores: dict[str, Counter[tuple[float, float]]] = defaultdict(Counter)
        self._only: Counter[tuple[str, str]] = Counter()
        self._flags: dict[str, Counter[str]] = defaultdict(Counter)
        self._labels: dict[str, Counter[str]] = defaultdict(Counter)
        self._groups: dict[str, dict[str, _Group]] = {"language": {}, "tenant": {}}

    def add(self, pair: Pair, now: Judged) -> None:
        was = pair.was
        self.posts += 1
        self._actions[was.action, now.action] += 1
        if now.severity is None:
            self.severity_unknown += 1
        elif now.severity != was.severity:
            self.severity_changed += 1
        self.differing += differs(was, now)
        for label in was.labels.keys() | now.labels.keys():
            before, after = was.labels.get(label), now.labels.get(label)
            if before is not None and after is not None:
                self._scores[label][before, after] += 1
            else:
                self._only[label, "was" if after is None else "now"] += 1
        before_flags, after_flags = set(was.flags), set(now.flags)
        for flag in before_flags | after_flags:
            counted = self._labels[flag] if flag in LABELS else self._flags[flag]
            counted.update(_steps(flag in before_flags, flag in after_flags))
        for by, name in (("language", pair.lang or "und"), ("tenant", pair.tenant)):
            self._groups[by].setdefault(name, _Group()).add(was, now)

    @property
    def actions(self) -> list[ActionChange]:
        """Every combination, in the order of the actions."""
        return [
            ActionChange(was=was, now=now, posts=self._actions[was, now])
            for was in ACTION_ORDER
            for now in ACTION_ORDER
        ]

    @property
    def changed(self) -> int:
        return sum(posts for (was, now), posts in self._actions.items() if was is not now)

    @property
    def labels(self) -> list[LabelShift]:
        """In the taxonomy's order, then others by name."""
        names = {*self._scores, *(label for label, _ in self._only), *self._labels}
        return [self._label(label) for label in _in_order(names)[:MAX_NAMES]]

    @property
    def flags(self) -> list[FlagChange]:
        """Flags that are no labels: refinements, facts and those of rules."""
        return [
            FlagChange(flag=flag, was=of["was"], now=of["now"], raised=of["raised"], dropped=of["dropped"])
            for flag, of in sorted(self._flags.items())[:MAX_NAMES]
        ]

    def groups(self, by: str) -> list[GroupChange]:
        """The largest, of the same size by name."""
        found = sorted(self._groups[by].items(), key=lambda item: (-item[1].posts, item[0]))
        return [group.change(name) for name, group in found[:MAX_GROUPS]]

    def left_out(self, by: str) -> int:
        return max(0, len(self._groups[by]) - MAX_GROUPS)

    @property
    def curves(self) -> list[Curve]:
        """Of labels whose scores moved."""
        return [self._curve(of.label) for of in self.labels if of.moved]

    def _label(self, label: str) -> LabelShift:
        scores, posts = self._counted(label)
        shifts, total = np.round(scores[:, 1] - scores[:, 0], 6), int(posts.sum())
        of = self._labels[label]
        return LabelShift(
            label=label,
            posts=total,
            only_was=self._only[label, "was"],
            only_now=self._only[label, "now"],
            mean=_rounded(np.dot(shifts, posts) / total) if total else None,
            mean_absolute=_rounded(np.dot(np.abs(shifts), posts) / total) if total else None,
            largest=_rounded(np.abs(shifts).max()) if total else None,
            moved=int(posts[np.abs(shifts) > MOVED].sum()),
            flagged_was=of["was"],
            flagged_now=of["now"],
            raised=of["raised"],
            dropped=of["dropped"],
        )

    def _curve(self, label: str) -> Curve:
        scores, posts = self._counted(label)
        steps = np.linspace(0, 1, GRID + 1)
        was, now = (
            [round(float(posts[side <= step + 1e-9].sum() / posts.sum()), 6) for step in steps] for side in scores.T
        )
        return Curve(label=label, was=was, now=now)

    def _counted(self, label: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The pairs of scores, shape [n, 2], in an order that does not hang on that of the posts; and their posts."""
        found = sorted(self._scores[label].items()) if label in self._scores else []
        return (
            np.array([pair for pair, _ in found], float).reshape(-1, 2),
            np.array([posts for _, posts in found], np.int64),
        )


class _Group:
    def __init__(self) -> None:
        self.posts = self.changed = self.was = self.now = self.flags = 0
        self._shifts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def add(self, was: Judged, now: Judged) -> None:
        self.posts += 1
        self.changed += was.action is not now.action
        self.was += was.action is not Action.APPROVE
        self.now += now.action is not Action.APPROVE
        self.flags += set(was.flags) != set(now.flags)
        for label, before in was.labels.items():
            if (after := now.labels.get(label)) is not None:
                self._shifts[label][0] += after - before
                self._shifts[label][1] += 1

    def change(self, name: str) -> GroupChange:
        return GroupChange(
            name=name,
            posts=self.posts,
            changed=self.changed,
            share=share_of(self.changed, self.posts),
            not_approved_was=self.was,
            not_approved_now=self.now,
            flags_changed=self.flags,
            shifts={
                label: round(self._shifts[label][0] / self._shifts[label][1], 6) for label in _in_order(self._shifts)
            },
        )


def differs(was: Judged, now: Judged) -> bool:
    """Whether a reader of the decisions would notice: another action, other flags or another severity."""
    return (
        was.action is not now.action
        or set(was.flags) != set(now.flags)
        or (now.severity is not None and was.severity != now.severity)
    )


def share_of(part: int, whole: int) -> Estimate:
    """A share with its interval over posts."""
    counts = np.array([[whole - part, part]])
    if whole == 0:
        return Estimate()
    found = estimate(counts, lambda drawn: drawn[..., 0, 1] / drawn[..., 0, :].sum(axis=-1))
    return Estimate(*(None if of is None else round(of, 6) for of in (found.value, found.low, found.high)))


def _steps(was: bool, now: bool) -> list[str]:
    return [
        *(["was"] if was else []),
        *(["now"] if now else []),
        *(["raised"] if now and not was else []),
        *(["dropped"] if was and not now else []),
    ]


def _in_order(labels: Iterable[str]) -> list[str]:
    places = {label: at for at, label in enumerate(LABELS)}
    return sorted(labels, key=lambda label: (places.get(label, len(places)), label))


def _rounded(figure: float | np.floating) -> float:
    return round(float(figure), 6)
