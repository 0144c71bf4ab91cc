"""The policy in effect as plain values, each with the layer that set it: what `modstream policy check` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from processors.policy.document import Rule
from processors.policy.effective import EffectivePolicy
from processors.policy.settings import Sourced

T = TypeVar("T")


def describe(effective: EffectivePolicy) -> dict[str, Any]:
    """What is in effect, ready for JSON. `from` is a layer's id, `pack` or `built in`."""
    settings = effective.settings
    return {
        "layers": list(settings.layers),
        "thresholds": _each(settings.thresholds),
        "refinements": _each(settings.refinements),
        "severities": _each(settings.severities),
        "rules": {name: _rule(rule) for name, rule in settings.rules.items()},
        "disabled_rules": dict(settings.disabled),
        "categories": _each(settings.categories),
        "severity": _each(settings.base_severity),
        "severity_steps": _one(settings.severity_steps),
        "unsupported_language_action": _one(settings.unsupported_language_action),
        "message_language": _one(settings.message_language),
    }


def _each(settings: Mapping[str, Sourced[T]]) -> dict[str, dict[str, object]]:
    return {name: _one(setting) for name, setting in settings.items()}


def _one(setting: Sourced[T]) -> dict[str, object]:
    return {"value": setting.value, "from": setting.source}


def _rule(rule: Sourced[Rule]) -> dict[str, object]:
    return {**rule.value.content(), "from": rule.source}
