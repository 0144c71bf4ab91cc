"""Keeps dashboards and rules current: `python -m streams.watch --write` writes them, `--check` looks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.generated import keep_current
from streams.watch.alerts import ALERTING
from streams.watch.dashboards import DASHBOARDS
from streams.watch.recording import RECORDING
from streams.watch.rules import to_yaml

INFRA = Path(__file__).resolve().parents[2] / "infra"


def rendered() -> dict[str, str]:
    """Path under infra/ -> its text."""
    return {
        "prometheus/recording_rules.yml": to_yaml(RECORDING),
        "prometheus/alert_rules.yml": to_yaml(ALERTING),
        **{f"grafana/{dashboard.uid}.json": dashboard.to_json() for dashboard in DASHBOARDS},
    }


def main(arguments: Sequence[str] | None = None, infra: Path = INFRA) -> int:
    """The exit status: 0, or 1 when a file is not what the catalogue says."""
    return keep_current("streams.watch", {infra / name: text for name, text in rendered().items()}, arguments)


if __name__ == "__main__":
    sys.exit(main())
