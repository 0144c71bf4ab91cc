"""Rules as Prometheus reads them: what a rule is, and how a file of them is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from streams.watch.promql import Recorded

HEAD = """\
# Written by `python -m streams.watch --write` from streams/watch and the catalogue of metrics: change it there.
"""

RUNBOOKS = "{{ with $externalLabels.runbooks }}{{ . }}{{ else }}docs/runbooks.md{{ end }}"
"""Where the runbooks are: Prometheus' external label `runbooks`, an address without the `#`, where they are served."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A query that is evaluated beforehand. `labels` tell several rules that make one metric apart."""

    makes: Recorded
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def to_rule(self) -> dict[str, Any]:
        rule: dict[str, Any] = {"record": self.makes.name, "expr": self.expression}
        return {**rule, "labels": dict(self.labels)} if self.labels else rule


@dataclass(frozen=True, slots=True)
class Alert:
    """`severity` is `page` (somebody gets up) or `ticket` (somebody looks during the day)."""

    name: str
    expression: str
    lasts: str
    """How long the expression must hold before the alert fires, such as "5m"; "0m": at once."""
    severity: str
    summary: str
    """One sentence; may name labels and `$value` as Prometheus' templates do."""

    @property
    def anchor(self) -> str:
        """Of its heading in the runbooks."""
        return self.name.lower()

    def to_rule(self) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.lasts,
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "runbook_url": f"{RUNBOOKS}#{self.anchor}"},
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, one after the other, every `interval`."""

    name: str
    interval: str
    rules: Sequence[Recording | Alert]


def to_yaml(groups: Iterable[Group]) -> str:
    """The rule file."""
    found = [
        {"name": group.name, "interval": group.interval, "rules": [rule.to_rule() for rule in group.rules]}
        for group in groups
    ]
    return HEAD + yaml.safe_dump({"groups": found}, sort_keys=False, width=10_000, allow_unicode=True)
