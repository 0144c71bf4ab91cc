"""A policy as it is written: its layers, each with what it sets and where in the file it sets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from processors.policy.expression import Expression
from processors.policy.messages import Template
from processors.policy.problems import Mark
from schemas import Action

T = TypeVar("T")

DEFAULT_LAYER = "default"

GROUPS = {"languages": "language", "regions": "region", "tenants": "tenant"}
"""Group in the file -> the word before the colon in a layer's id; from the weakest to the strongest."""


@dataclass(frozen=True, slots=True)
class Marked(Generic[T]):
    """A value and its place in the file."""

    value: T
    mark: Mark


@dataclass(frozen=True, slots=True)
class Rule:
    """A named condition and what follows when it holds."""

    name: str
    mark: Mark
    condition: Expression
    condition_mark: Mark
    action: Action
    code: str
    guideline: str | None
    messages: Mapping[str, Template]
    """Language -> template; `en` is always there."""
    flags: tuple[str, ...]
    severity: int | None
    """The post is at least this severe; None leaves it as it is."""

    def content(self) -> dict[str, object]:
        """What makes this rule, without its name and place: two rules with the same content do the same."""
        return {
            "when": self.condition.source,
            "action": self.action.value,
            "code": self.code,
            "guideline": self.guideline,
            "message": {language: template.source for language, template in self.messages.items()},
            "flags": sorted(self.flags),
            "severity": self.severity,
        }


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer sets. Whatever it does not mention comes from the layers below it."""

    id: str
    """`default`, `language:de`, `region:EU` or `tenant:acme`."""
    mark: Mark
    thresholds: Mapping[str, Marked[float]] = field(default_factory=dict[str, Marked[float]])
    """Label, refinement (`hate.race`) or severity (`severity.3`) -> the probability over which it holds."""
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    disabled_rules: Mapping[str, Mark] = field(default_factory=dict[str, Mark])
    categories: Mapping[str, Marked[str]] = field(default_factory=dict[str, Marked[str]])
    """Label -> the name that the tenant has for it."""
    base_severity: Mapping[str, Marked[int]] = field(default_factory=dict[str, Marked[int]])
    severity_steps: Marked[tuple[float, float]] | None = None
    unsupported_language_action: Marked[Action] | None = None
    message_language: Marked[str] | None = None

    @property
    def is_empty(self) -> bool:
        mappings = (self.thresholds, self.rules, self.disabled_rules, self.categories, self.base_severity)
        settings = (self.severity_steps, self.unsupported_language_action, self.message_language)
        return not any(mappings) and all(setting is None for setting in settings)

    def content(self) -> dict[str, object]:
        """The layer as plain values, without places."""
        return {
            "thresholds": _values(self.thresholds),
            "rules": {name: rule.content() for name, rule in self.rules.items()},
            "disabled_rules": sorted(self.disabled_rules),
            "categories": _values(self.categories),
            "severity": _values(self.base_severity),
            "severity_steps": _value(self.severity_steps),
            "unsupported_language_action": _value(self.unsupported_language_action),
            "message_language": _value(self.message_language),
        }


@dataclass(frozen=True, slots=True)
class Document:
    """A whole policy file."""

    name: str
    version: str
    description: str
    layers: Mapping[str, Layer]
    """Layer id -> layer; `default` is always there."""

    def content(self) -> dict[str, object]:
        """The policy as plain values, what its hash is taken of. Comments, order and layout do not count."""
        return {
            "schema": "policy/1",
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "layers": {layer_id: layer.content() for layer_id, layer in self.layers.items()},
        }


def _values(settings: Mapping[str, Marked[T]]) -> dict[str, T]:
    return {name: setting.value for name, setting in settings.items()}


def _value(setting: Marked[T] | None) -> T | None:
    return setting.value if setting else None
