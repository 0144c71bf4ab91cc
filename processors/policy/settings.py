"""Lays the layers of a policy over each other: what is in effect for one tenant, region and language, and whence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from processors.policy.document import Layer, Marked, Rule
from processors.policy.messages import FALLBACK_LANGUAGE
from processors.policy.severity import DEFAULT_BASE, DEFAULT_STEPS
from processors.policy.vocabulary import REFINEMENTS, SEVERITIES
from schemas import LABELS, Action

T = TypeVar("T")

FROM_PACK = "pack"
FROM_CODE = "built in"


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value in effect and who set it: a layer's id, `pack` or `built in`."""

    value: T
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in effect. Labels that the pack does not assess have no threshold; their rules never match."""

    layers: tuple[str, ...]
    """Ids of the layers in effect, from the weakest to the strongest."""
    thresholds: Mapping[str, Sourced[float]]
    """Assessed label -> threshold, in the taxonomy's order."""
    refinements: Mapping[str, Sourced[float]]
    """`hate.race` -> threshold, in the taxonomy's order; of targets that the pack assesses."""
    severities: Mapping[str, Sourced[float]]
    """`severity.2` -> threshold, ascending; of those that the pack assesses."""
    rules: Mapping[str, Sourced[Rule]]
    """By name, in alphabetical order: the order in the file must not count."""
    disabled: Mapping[str, str]
    """Rules that a layer took away -> that layer."""
    categories: Mapping[str, Sourced[str]]
    base_severity: Mapping[str, Sourced[int]]
    severity_steps: Sourced[tuple[float, float]]
    unsupported_language_action: Sourced[Action]
    message_language: Sourced[str]


def merge(layers: Sequence[Layer], pack_thresholds: Mapping[str, float]) -> Settings:
    """The settings of `layers`, given from the weakest to the strongest, over the pack's own thresholds."""
    thresholds = {name: Sourced(value, FROM_PACK) for name, value in pack_thresholds.items()}
    rules: dict[str, Sourced[Rule]] = {}
    disabled: dict[str, str] = {}
    categories: dict[str, Sourced[str]] = {}
    base_severity = {label: Sourced(DEFAULT_BASE, FROM_CODE) for label in LABELS}
    for layer in layers:
        thresholds |= _sourced(layer.thresholds, layer.id)
        categories |= _sourced(layer.categories, layer.id)
        base_severity |= _sourced(layer.base_severity, layer.id)
        for name in layer.disabled_rules:
            if rules.pop(name, None) is not None:
                disabled[name] = layer.id
        for name, rule in layer.rules.items():
            rules[name] = Sourced(rule, layer.id)
            disabled.pop(name, None)
    return Settings(
        layers=tuple(layer.id for layer in layers),
        thresholds={label: thresholds[label] for label in LABELS if label in pack_thresholds},
        refinements={name: thresholds[name] for name in REFINEMENTS if name in pack_thresholds},
        severities={name: thresholds[name] for name in SEVERITIES if name in pack_thresholds},
        rules=dict(sorted(rules.items())),
        disabled=dict(sorted(disabled.items())),
        categories=categories,
        base_severity={label: base_severity[label] for label in LABELS},
        severity_steps=_last(layers, "severity_steps", DEFAULT_STEPS),
        unsupported_language_action=_last(layers, "unsupported_language_action", Action.REVIEW),
        message_language=_last(layers, "message_language", FALLBACK_LANGUAGE),
    )


def _sourced(settings: Mapping[str, Marked[T]], layer_id: str) -> dict[str, Sourced[T]]:
    return {name: Sourced(setting.value, layer_id) for name, setting in settings.items()}


def _last(layers: Sequence[Layer], name: str, default: T) -> Sourced[T]:
    """The setting of the strongest layer that has it."""
    for layer in reversed(layers):
        setting: Marked[T] | None = getattr(layer, name)
        if setting is not None:
            return Sourced(setting.value, layer.id)
    return Sourced(default, FROM_CODE)
