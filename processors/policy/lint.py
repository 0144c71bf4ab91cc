"""Finds what a policy says without effect, and references between layers that lead nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from processors.policy.document import DEFAULT_LAYER, GROUPS, Document, Layer, Marked
from processors.policy.problems import ProblemLog, expected, quote

T = TypeVar("T")

_STRENGTH = {DEFAULT_LAYER: 0} | {word: place for place, word in enumerate(GROUPS.values(), start=1)}


def lint(document: Document, assessed: Collection[str], log: ProblemLog) -> None:
    """Notes problems between the layers, and between the policy and the labels that the pack assesses."""
    for strength in range(len(_STRENGTH)):
        below = [layer for layer in document.layers.values() if _strength(layer) < strength]
        for layer in document.layers.values():
            if _strength(layer) == strength:
                _lint_layer(layer, below, assessed, log)


def _lint_layer(layer: Layer, below: list[Layer], assessed: Collection[str], log: ProblemLog) -> None:
    if layer.is_empty and layer.id != DEFAULT_LAYER:
        log.warning(layer.mark, f"{layer.id} sets nothing")
    _check_assessed(layer, assessed, log)
    _check_disabled(layer, below, log)
    _check_overrides(layer, below, log)


def _strength(layer: Layer) -> int:
    return _STRENGTH[layer.id.partition(":")[0]]


def _check_assessed(layer: Layer, assessed: Collection[str], log: ProblemLog) -> None:
    """A label without a score: no flag, and conditions on it do not hold."""
    for name, threshold in layer.thresholds.items():
        if name not in assessed:
            message = f"threshold of {name} has no effect: the pack does not assess {name}"
            log.warning(threshold.mark, f"{layer.id}: {message}")
    for rule in layer.rules.values():
        for label in rule.condition.labels:
            if label not in assessed:
                message = f"the pack does not assess {label}: what the condition says of it does not hold"
                log.warning(rule.condition_mark, f"{layer.id}: rule {rule.name}: {message}")


def _check_disabled(layer: Layer, below: list[Layer], log: ProblemLog) -> None:
    if not layer.disabled_rules:
        return
    known = sorted({name for other in below for name in other.rules})
    for name, mark in layer.disabled_rules.items():
        if name in layer.rules:
            log.error(mark, f"{layer.id}: {quote(name)} is both disabled and set here; expected one of the two")
        elif not known:
            log.error(mark, f"{layer.id}: {quote(name)} is disabled, but no layer below has rules")
        elif name not in known:
            log.error(mark, f"{layer.id}: no rule {quote(name)} in the layers below; {expected(name, known)}")


def _check_overrides(layer: Layer, below: list[Layer], log: ProblemLog) -> None:
    """A setting equal to the default layer's, with nothing in between to override, changes nothing."""
    if layer.id == DEFAULT_LAYER:
        return
    for where, setting in _repeated(layer, below):
        log.warning(setting.mark, f"{layer.id}: {where} is the same as in the layers below and has no effect")
    for rule in layer.rules.values():
        if rule.name not in below[0].rules or any(rule.name in other.disabled_rules for other in below):
            continue
        if all(other.rules[rule.name].content() == rule.content() for other in below if rule.name in other.rules):
            message = f"rule {rule.name} is the same as in the layers below and has no effect"
            log.warning(rule.mark, f"{layer.id}: {message}")


def _repeated(layer: Layer, below: list[Layer]) -> Iterator[tuple[str, Marked[object]]]:
    yield from _repeated_in("threshold of", layer.thresholds, [other.thresholds for other in below])
    yield from _repeated_in("category of", layer.categories, [other.categories for other in below])
    yield from _repeated_in("severity of", layer.base_severity, [other.base_severity for other in below])
    for name in ("severity_steps", "unsupported_language_action", "message_language"):
        own: Marked[object] | None = getattr(layer, name)
        if own is not None:
            others: list[Marked[object] | None] = [getattr(other, name) for other in below]
            yield from _repeated_in("", {name: own}, [{name: other} if other else {} for other in others])


def _repeated_in(
    what: str, own: Mapping[str, Marked[T]], below: list[Mapping[str, Marked[T]]]
) -> Iterator[tuple[str, Marked[object]]]:
    """The settings that the default layer, below[0], has with the same value and no other with another."""
    for name, setting in own.items():
        under = [layer[name].value for layer in below if name in layer]
        if name in below[0] and all(value == setting.value for value in under):
            yield f"{what} {name}".strip(), Marked(setting.value, setting.mark)
