"""Dashboards as Grafana reads them: panels in rows, laid out on its grid of 24 columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = 39
"""Of Grafana 11; later ones move it up by themselves."""
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
"""Whichever the reader of the dashboard chooses."""

INTERVAL = "$__rate_interval"
"""At least four scrapes, as Grafana chooses it for the span that is shown."""


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and what its lines are called (`{{label}}`)."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is one of Grafana's ids (`s`, `percentunit`, `reqps`, `short` …)."""

    title: str
    queries: Sequence[Query]
    unit: str
    description: str
    kind: str = "timeseries"
    """Or `stat` (one number), or `table` (the newest values)."""
    width: int = 8
    height: int = 8
    stacked: bool = False
    signed: bool = False
    """Whether values may be below 0."""
    marks: Sequence[tuple[str, float]] = ()
    """(colour, value) from which it holds; drawn as lines."""

    def to_grafana(self, number: int, x: int, y: int) -> dict[str, Any]:
        instant = self.kind == "table"
        targets = [
            {
                "refId": chr(ord("A") + at),
                "datasource": DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
                **({"instant": True, "range": False, "format": "table"} if instant else {"range": True}),
            }
            for at, query in enumerate(self.queries)
        ]
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": targets,
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self._options(),
            **({"transformations": [{"id": "merge", "options": {}}]} if instant else {}),
        }

    def _defaults(self) -> dict[str, Any]:
        steps = [{"color": "green", "value": None}, *({"color": color, "value": at} for color, at in self.marks)]
        found: dict[str, Any] = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}
        if self.kind == "timeseries":
            if not self.signed:
                found["min"] = 0
            found["custom"] = {
                "drawStyle": "line",
                "fillOpacity": 30 if self.stacked else 5,
                "showPoints": "never",
                "stacking": {"mode": "normal" if self.stacked else "none"},
                "thresholdsStyle": {"mode": "line" if self.marks else "off"},
            }
        return found

    def _options(self) -> dict[str, Any]:
        match self.kind:
            case "stat":
                return {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}, "colorMode": "value"}
            case "table":
                return {"showHeader": True}
            case _:
                return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading, from left to right."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`uid` is its address in Grafana, and its file."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]

    def to_json(self) -> str:
        return json.dumps(self.to_grafana(), indent=2, ensure_ascii=False) + "\n"

    def to_grafana(self) -> dict[str, Any]:
        return {
            "uid": self.uid,
            "title": self.title,
            "description": f"{self.description} Written by `python -m streams.watch --write`: change it there.",
            "tags": ["modstream"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-3h", "to": "now"},
            "timezone": "browser",
            "templating": {
                "list": [
                    {
                        "name": "datasource",
                        "label": "Prometheus",
                        "type": "datasource",
                        "query": "prometheus",
                        "current": {},
                    }
                ]
            },
            "links": [{"type": "dashboards", "tags": ["modstream"], "title": "modstream", "asDropdown": False}],
            "panels": self._panels(),
        }

    def _panels(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        y = 0
        for row in self.rows:
            found.append(_heading(len(found) + 1, row.title, y))
            x, y, tallest = 0, y + 1, 0
            for panel in row.panels:
                if x + panel.width > COLUMNS:
                    x, y, tallest = 0, y + tallest, 0
                found.append(panel.to_grafana(len(found) + 1, x, y))
                x, tallest = x + panel.width, max(tallest, panel.height)
            y += tallest
        return found


def _heading(number: int, title: str, y: int) -> dict[str, Any]:
    place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}
