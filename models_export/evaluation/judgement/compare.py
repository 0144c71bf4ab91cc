"""Two runs of a suite side by side, from their predictions alone: differences, and how sure they are.

The bootstrap is paired: a resample of the items is the same for both runs, so that what is hard for both does not count
as a difference (Efron and Tibshirani 1993, An Introduction to the Bootstrap; Koehn 2004, Statistical Significance Tests
for Machine Translation Evaluation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models_export.evaluation.judgement.figures import Judged, averaged, judged, labels_of
from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.report import core_of
from models_export.evaluation.judgement.suite import Suite
from models_export.evaluation.labelled_media import SuiteError
from models_export.measures import confusion, levels
from models_export.measures.bootstrap import RESAMPLES, SEED, Estimate, estimate, interval
from schemas import Action

CELL_FIGURES: dict[str, Callable[[NDArray[np.integer]], NDArray[np.float64]]] = {
    "macro-F1": confusion.macro_f1,
    "accuracy": confusion.accuracy,
    "precision": confusion.precision,
    "recall": confusion.recall,
    "false positives": confusion.false_positive_rate,
}
LEVEL_FIGURES: dict[str, Callable[[NDArray[np.integer]], NDArray[np.float64]]] = {
    "PR-AUC": levels.average_precision,
    "ROC-AUC": levels.roc_auc,
    "Brier": levels.brier,
}

SMALL_GROUP = 20
"""Items: the difference of fewer would be mostly chance."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    items: int
    a: float | None
    b: float | None
    difference: Estimate
    """b minus a, and its interval."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    suite: str
    resamples: int
    items: int
    """In both, and judged by both."""
    only_a: int
    only_b: int
    overall: list[Difference]
    groups: dict[str, list[Difference]]
    """By group: macro-F1 (accuracy where there is one class) of the suite's labels, and review rates."""


Pairs = list[tuple[Prediction, Prediction]]


def compared(suite: Suite, a: Sequence[Prediction], b: Sequence[Prediction]) -> Comparison:
    """Raises SuiteError where they are not of this suite, or have no item in common, or not the same truth."""
    for run in (a, b):
        if wrong := next((of for of in run if of.suite != suite.name), None):
            raise SuiteError(f"{wrong.id}: of the suite {wrong.suite}; expected {suite.name}, as the others are")
    there = {of.id: of for of in b}
    pairs = [(of, there[of.id]) for of in a if of.id in there]
    if not pairs:
        raise SuiteError("the two runs have no item in common; expected two runs on the same data")
    for one, other in pairs:
        if one.truth != other.truth:
            raise SuiteError(f"{one.id}: its truth is not the same in both; expected two runs on the same data")
    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    core = _core(suite, pairs)
    return Comparison(
        suite=suite.name,
        resamples=RESAMPLES,
        items=len(pairs),
        only_a=len(a) - len(pairs),
        only_b=len(b) - len(pairs),
        overall=[
            *_averages(suite, left, right),
            *(found for label in labels_of([one for one, _ in core]) for found in _label(core, label)),
            *_review(core, "review rate"),
        ],
        groups={by: _group(suite, pairs, by) for by in suite.groups},
    )


def _core(suite: Suite, pairs: Pairs) -> Pairs:
    kept = {of.id for of in core_of(suite, [one for one, _ in pairs])}
    return [pair for pair in pairs if pair[0].id in kept]


def _label(pairs: Pairs, label: str) -> list[Difference]:
    found = _both(pairs, label)
    return [] if found is None else [*_by_cells(label, *found, CELL_FIGURES), *_by_levels(label, *found)]


def _by_cells(label: str, one: Judged, other: Judged, names: Iterable[str]) -> list[Difference]:
    cells = _joint_cells(one, other)[None]
    return [
        _difference(
            f"{label}: {name}",
            len(one.truth),
            cells,
            lambda drawn, figure=CELL_FIGURES[name]: figure(_of_a(drawn)[..., 0, :]),
            lambda drawn, figure=CELL_FIGURES[name]: figure(_of_b(drawn)[..., 0, :]),
        )
        for name in names
    ]


def _by_levels(label: str, one: Judged, other: Judged) -> list[Difference]:
    """Figures of probabilities: what is drawn is how often each pair of probabilities stands there."""
    places = [
        (levels.LEVELS * of.truth + np.rint(of.scores * (levels.LEVELS - 1))).astype(np.int64) for of in (one, other)
    ]
    size = 2 * levels.LEVELS
    kinds, counts = np.unique(places[0] * size + places[1], return_counts=True)
    sides = (kinds // size, kinds % size)
    drawn = np.random.default_rng(SEED).multinomial(counts.sum(), counts / counts.sum(), RESAMPLES)
    values: list[dict[str, NDArray[np.float64]]] = []
    for side in sides:
        tables = np.stack([np.bincount(side, weights, size) for weights in (counts, *drawn)]).astype(np.int64)
        values.append({name: of(tables.reshape(-1, 2, levels.LEVELS)) for name, of in LEVEL_FIGURES.items()})
    return [_stated(f"{label}: {name}", len(one.truth), values[0][name], values[1][name]) for name in LEVEL_FIGURES]


def _averages(suite: Suite, a: Sequence[Prediction], b: Sequence[Prediction]) -> list[Difference]:
    found: list[Difference] = []
    for of in suite.averages:
        names = {name for name, _ in averaged(a, of)} & {name for name, _ in averaged(b, of)}
        groups = [
            _both(list(zip(members, named(b, of.over)[name], strict=True)), of.label)
            for name, members in named(a, of.over).items()
            if name in names
        ]
        cells = [_joint_cells(*group) for group in groups if group is not None]
        if cells:
            found.append(
                _difference(
                    f"{of.name}: macro-F1",
                    int(sum(of.sum() for of in cells)),
                    np.stack(cells),
                    lambda drawn: confusion.macro_f1(_of_a(drawn)).mean(axis=-1),
                    lambda drawn: confusion.macro_f1(_of_b(drawn)).mean(axis=-1),
                )
            )
    return found


def _group(suite: Suite, pairs: Pairs, by: str) -> list[Difference]:
    found: list[Difference] = []
    for name in sorted({one.groups[by] for one, _ in pairs if by in one.groups}):
        inside = [pair for pair in pairs if pair[0].groups.get(by) == name]
        if len(inside) < SMALL_GROUP:
            continue
        for label in suite.labels:
            both = _both(inside, label)
            if both is not None:
                mixed = 0 < both[0].truth.sum() < len(both[0].truth)
                figures = _by_cells(label, *both, ("macro-F1" if mixed else "accuracy",))
                found += [replace(of, name=f"{name}, {of.name}") for of in figures]
        found += _review(inside, f"{name}, review rate")
    return found


def _review(pairs: Pairs, name: str) -> list[Difference]:
    actions = [(one.action, other.action) for one, other in pairs]
    decided = [(one, other) for one, other in actions if one is not None and other is not None]
    if not decided:
        return []
    places = [2 * (one is Action.REVIEW) + (other is Action.REVIEW) for one, other in decided]
    cells = np.bincount(places, minlength=4)[None]
    return [
        _difference(
            name,
            len(decided),
            cells,
            lambda drawn: confusion.share(drawn.reshape(*drawn.shape[:-2], 2, 2).sum(axis=-1)),
            lambda drawn: confusion.share(drawn.reshape(*drawn.shape[:-2], 2, 2).sum(axis=-2)),
        )
    ]


def _both(pairs: Pairs, label: str) -> tuple[Judged, Judged] | None:
    """The items that both judge, in the same order."""
    usable = [pair for pair in pairs if all(of.says(label) is not None for of in pair)]
    one, other = judged([pair[0] for pair in usable], label), judged([pair[1] for pair in usable], label)
    return None if one is None or other is None else (one, other)


def _joint_cells(one: Judged, other: Judged) -> NDArray[np.int64]:
    """Shape [8]: the place is 4 * truth + 2 * said by a + said by b."""
    return np.bincount(4 * one.truth.astype(int) + 2 * one.said + other.said, minlength=8)


def _of_a(cells: NDArray[np.integer]) -> NDArray[np.integer]:
    """[..., 8] -> [..., 4]"""
    return cells.reshape(*cells.shape[:-1], 2, 2, 2).sum(axis=-1).reshape(*cells.shape[:-1], 4)


def _of_b(cells: NDArray[np.integer]) -> NDArray[np.integer]:
    return cells.reshape(*cells.shape[:-1], 2, 2, 2).sum(axis=-2).reshape(*cells.shape[:-1], 4)


Figure = Callable[[NDArray[np.integer]], NDArray[np.float64]]


def _difference(name: str, items: int, cells: NDArray[np.int64], of_a: Figure, of_b: Figure) -> Difference:
    return Difference(
        name=name,
        items=items,
        a=_known(of_a(cells)),
        b=_known(of_b(cells)),
        difference=estimate(cells, lambda drawn: of_b(drawn) - of_a(drawn)),
    )


def _stated(name: str, items: int, a: NDArray[np.float64], b: NDArray[np.float64]) -> Difference:
    """The first of the values are those of all items, the others of the resamples."""
    gap = b - a
    known = not np.isnan(gap[0])
    return Difference(
        name=name,
        items=items,
        a=_known(a[0]),
        b=_known(b[0]),
        difference=Estimate(float(gap[0]), *interval(gap[1:])) if known else Estimate(),
    )


def _known(value: NDArray[np.float64] | float) -> float | None:
    return None if np.isnan(value) else float(value)
