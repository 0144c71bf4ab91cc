"""Both judgements beside what people said of the posts. Pure.

The bootstrap is paired: a resample of the posts is the same for both judgements (Efron and Tibshirani 1993, An
Introduction to the Bootstrap).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_export.measures import confusion
from models_export.measures.bootstrap import Estimate, estimate
from schemas import LABELS, Action
from schemas.replay import Judged, Pair

FIGURES: dict[str, Callable[[NDArray[np.integer]], NDArray[np.float64]]] = {
    "precision": confusion.precision,
    "recall": confusion.recall,
    "false positives": confusion.false_positive_rate,
    "accuracy": confusion.accuracy,
}

Cells = NDArray[np.int64]
"""Shape [8]: 4 * truth + 2 * said then + said now."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of both judgements."""

    name: str
    was: Estimate
    now: Estimate
    difference: Estimate
    """Now minus was, of the same resamples."""


class Agreements(msgspec.Struct, frozen=True, kw_only=True):
    """A question that people answered by yes or no, and both judgements too."""

    about: str
    """`restricted` (the action is not approve), `blocked`, or a label."""
    posts: int
    yes: int
    figures: list[Agreement]
    closer: int
    """Posts on which now is right and then was wrong; `farther` is the other way round."""
    farther: int


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    posts: int
    by_decision: int
    """Of these, said of the very decision; the others are of another decision on the same version of the post."""
    by_post: int
    questions: list[Agreements]


class People:
    """Counts pairs of which people have said something."""

    def __init__(self) -> None:
        self._cells: dict[str, Cells] = defaultdict(lambda: np.zeros(8, np.int64))
        self._about: dict[Literal["decision", "post"], int] = {"decision": 0, "post": 0}

    def add(self, pair: Pair, now: Judged) -> None:
        said, was = pair.said, pair.was
        if said is None:
            return
        self._about[said.about] += 1
        self._count("restricted", *(of is not Action.APPROVE for of in (said.verdict, was.action, now.action)))
        self._count("blocked", *(of is Action.BLOCK for of in (said.verdict, was.action, now.action)))
        for label, holds in said.labels.items():
            if label in LABELS:
                self._count(label, holds, label in was.flags, label in now.flags)

    @property
    def feedback(self) -> Feedback | None:
        """None where nobody said anything."""
        posts = sum(self._about.values())
        if not posts:
            return None
        return Feedback(
            posts=posts,
            by_decision=self._about["decision"],
            by_post=self._about["post"],
            questions=[
                _agreements(name, self._cells[name])
                for name in ("restricted", "blocked", *LABELS)
                if name in self._cells
            ],
        )

    def _count(self, name: str, truth: bool, was: bool, now: bool) -> None:
        self._cells[name][4 * truth + 2 * was + now] += 1


def _agreements(name: str, cells: Cells) -> Agreements:
    """`cells`: [truth, was, now] as one axis of eight."""
    by = cells.reshape(2, 2, 2)
    return Agreements(
        about=name,
        posts=int(cells.sum()),
        yes=int(by[1].sum()),
        figures=[_agreement(figure, of, cells) for figure, of in FIGURES.items()],
        closer=int(by[1, 0, 1] + by[0, 1, 0]),
        farther=int(by[1, 1, 0] + by[0, 0, 1]),
    )


def _agreement(name: str, figure: Callable[[NDArray[np.integer]], NDArray[np.float64]], cells: Cells) -> Agreement:
    group = cells[None]
    return Agreement(
        name=name,
        was=rounded(estimate(group, lambda drawn: figure(_side(drawn, then=True)))),
        now=rounded(estimate(group, lambda drawn: figure(_side(drawn, then=False)))),
        difference=rounded(
            estimate(group, lambda drawn: figure(_side(drawn, then=False)) - figure(_side(drawn, then=True)))
        ),
    )


def _side(drawn: NDArray[np.integer], *, then: bool) -> NDArray[np.integer]:
    """[..., 1, 8] -> [..., 4]: truth by one judgement."""
    table = drawn.reshape(*drawn.shape[:-2], 2, 2, 2)
    return table.sum(axis=-1 if then else -2).reshape(*drawn.shape[:-2], 4)


def rounded(of: Estimate) -> Estimate:
    """To six decimals: what lies beyond is noise of the last bit."""
    return Estimate(*(None if value is None else round(value, 6) for value in (of.value, of.low, of.high)))
