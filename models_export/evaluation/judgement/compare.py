"""Two runs of a suite side by side, from their predictions alone: differences, and how sure they are.

The bootstrap is paired: a resample of the items is the same for both runs, so that what is hard for both does not count
as a difference (Efron and Tibshirani 1993, An Introduction to the Bootstrap; Koehn 2004, Statistical Significance Tests
for Machine Translation Evaluation). Items that are no news beside each other, such as near-duplicates, are drawn
together, where the suite names the group that tells (Field and Welsh 2007, Bootstrapping clustered data).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models_export.evaluation.judgement.figures import Judged, judged, labels_of
from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.report import core_of
from models_export.evaluation.judgement.suite import Suite
from models_export.evaluation.labelled_media import SuiteError
from models_export.measures import confusion, levels
from models_export.measures.bootstrap import RESAMPLES, SEED, Estimate, interval
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
    together: str | None = None
    """The group whose items are drawn together; None: each is drawn by itself."""
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
    core = _core(suite, pairs)
    return Comparison(
        suite=suite.name,
        resamples=RESAMPLES,
        items=len(pairs),
        only_a=len(a) - len(pairs),
        only_b=len(b) - len(pairs),
        together=suite.together,
        overall=[
            *_averages(suite, pairs),
            *(found for label in labels_of([one for one, _ in core]) for found in _label(suite, core, label)),
            *_review(suite, core, "review rate"),
        ],
        groups={by: _group(suite, pairs, by) for by in suite.groups},
    )


@dataclass(frozen=True, slots=True)
class _Both:
    """A label of the items that both judge, in the same order."""

    one: Judged
    other: Judged
    together: NDArray[np.int64] | None
    """Shape [rows]: what has the same number is drawn together."""

    @property
    def joint_cells(self) -> NDArray[np.int64]:
        """Shape [rows]: 4 * truth + 2 * said by a + said by b."""
        return 4 * self.one.truth.astype(np.int64) + 2 * self.one.said + self.other.said

    @property
    def mixed(self) -> bool:
        return 0 < self.one.truth.sum() < len(self.one.truth)


def _core(suite: Suite, pairs: Pairs) -> Pairs:
    """What a pack was trained on may decide what is in the core: only what is in that of both."""
    kept = [{of.id for of in core_of(suite, side)} for side in zip(*pairs, strict=True)]
    return [pair for pair in pairs if all(pair[0].id in ids for ids in kept)]


def _label(suite: Suite, pairs: Pairs, label: str) -> list[Difference]:
    found = _both(suite, pairs, label)
    return [] if found is None else [*_by_cells(label, found, CELL_FIGURES), *_by_levels(label, found)]


def _by_cells(label: str, found: _Both, names: Iterable[str]) -> list[Difference]:
    drawn = _resamples(found.joint_cells, 8, found.together, np.random.default_rng(SEED))
    a, b = _of_a(drawn), _of_b(drawn)
    return [
        _stated(f"{label}: {name}", len(found.one.truth), CELL_FIGURES[name](a), CELL_FIGURES[name](b))
        for name in names
    ]


def _by_levels(label: str, found: _Both) -> list[Difference]:
    """Figures of probabilities: what is drawn is how often each pair of probabilities stands there."""
    size = 2 * levels.LEVELS
    places = [
        levels.LEVELS * of.truth.astype(np.int64) + np.rint(of.scores * (levels.LEVELS - 1)).astype(np.int64)
        for of in (found.one, found.other)
    ]
    kinds, kind = np.unique(places[0] * size + places[1], return_inverse=True)
    drawn = _resamples(kind, len(kinds), found.together, np.random.default_rng(SEED))
    values: list[dict[str, NDArray[np.float64]]] = []
    for side in (kinds // size, kinds % size):
        tables = np.stack([np.bincount(side, weights, size) for weights in drawn]).astype(np.int64)
        values.append({name: of(tables.reshape(-1, 2, levels.LEVELS)) for name, of in LEVEL_FIGURES.items()})
    return [
        _stated(f"{label}: {name}", len(found.one.truth), values[0][name], values[1][name]) for name in LEVEL_FIGURES
    ]


def _averages(suite: Suite, pairs: Pairs) -> list[Difference]:
    """Over the groups that an average is over in both; each is resampled by itself."""
    found: list[Difference] = []
    for of in suite.averages:
        inside = [pair for pair in pairs if of.among is None or _both_in(pair, of.among, of.value)]
        members = [_both(suite, group, of.label) for _, group in _grouped(inside, of.over)]
        usable = [both for both in members if both is not None and both.mixed]
        if usable:
            rng = np.random.default_rng(SEED)
            drawn = np.stack([_resamples(both.joint_cells, 8, both.together, rng) for both in usable], axis=1)
            a, b = (confusion.macro_f1(side(drawn)).mean(axis=-1) for side in (_of_a, _of_b))
            found.append(_stated(f"{of.name}: macro-F1", sum(len(both.one.truth) for both in usable), a, b))
    return found


def _grouped(pairs: Pairs, by: str) -> list[tuple[str, Pairs]]:
    """By what both runs say the items are, in the order of names; those that are in different groups are left out."""
    names = sorted({one.groups[by] for one, _ in pairs if by in one.groups})
    return [(name, [pair for pair in pairs if _both_in(pair, by, name)]) for name in names]


def _both_in(pair: tuple[Prediction, Prediction], by: str, name: str | None) -> bool:
    return all(of.groups.get(by) == name for of in pair)


def _group(suite: Suite, pairs: Pairs, by: str) -> list[Difference]:
    found: list[Difference] = []
    for name, inside in _grouped(pairs, by):
        if len(inside) < SMALL_GROUP:
            continue
        for label in suite.labels:
            both = _both(suite, inside, label)
            if both is not None:
                figures = _by_cells(label, both, ("macro-F1" if both.mixed else "accuracy",))
                found += [replace(of, name=f"{name}, {of.name}") for of in figures]
        found += _review(suite, inside, f"{name}, review rate")
    return found


def _review(suite: Suite, pairs: Pairs, name: str) -> list[Difference]:
    decided = [pair for pair in pairs if all(of.action is not None for of in pair)]
    if not decided:
        return []
    places = np.array([2 * (one.action is Action.REVIEW) + (other.action is Action.REVIEW) for one, other in decided])
    drawn = _resamples(places, 4, _together(suite, decided), np.random.default_rng(SEED)).reshape(-1, 2, 2)
    return [_stated(name, len(decided), confusion.share(drawn.sum(axis=-1)), confusion.share(drawn.sum(axis=-2)))]


def _both(suite: Suite, pairs: Pairs, label: str) -> _Both | None:
    usable = [pair for pair in pairs if all(of.says(label) is not None for of in pair)]
    one, other = judged([pair[0] for pair in usable], label), judged([pair[1] for pair in usable], label)
    if one is None or other is None:
        return None
    return _Both(one, other, _together(suite, [pair for pair in usable if label in pair[0].truth]))


def _together(suite: Suite, pairs: Pairs) -> NDArray[np.int64] | None:
    by = suite.together
    if by is None:
        return None
    names = [("group", one.groups[by]) if by in one.groups else ("item", one.id) for one, _ in pairs]
    numbers = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.int64)


def _resamples(
    kinds: NDArray[np.int64], size: int, together: NDArray[np.int64] | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """How often each kind is there, shape [1 + RESAMPLES, size]: first of all rows, then of each resample of them."""
    counts = np.bincount(kinds, minlength=size)
    if together is None:
        return np.concatenate([counts[None], rng.multinomial(len(kinds), counts / len(kinds), RESAMPLES)])
    groups = int(together.max()) + 1
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), RESAMPLES)
    drawn = [np.bincount(kinds, of[together], size).astype(np.int64) for of in weights]
    return np.stack([counts, *drawn])


def _of_a(cells: NDArray[np.integer]) -> NDArray[np.integer]:
    """[..., 8] -> [..., 4]"""
    return cells.reshape(*cells.shape[:-1], 2, 2, 2).sum(axis=-1).reshape(*cells.shape[:-1], 4)


def _of_b(cells: NDArray[np.integer]) -> NDArray[np.integer]:
    return cells.reshape(*cells.shape[:-1], 2, 2, 2).sum(axis=-2).reshape(*cells.shape[:-1], 4)


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
