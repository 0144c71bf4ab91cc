"""The dashboards, made from the catalogue of metrics."""

from __future__ import annotations

from streams.watch.dashboards.decisions import decisions
from streams.watch.dashboards.overview import overview
from streams.watch.dashboards.stages import stages

DASHBOARDS = (overview(), stages(), decisions())
