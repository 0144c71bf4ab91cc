"""Keeps dashboards and rules current: `python -m streams.watch --write` writes them, `--check` looks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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
    parser = argparse.ArgumentParser(prog="python -m streams.watch", description="Dashboards and rules.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write infra/grafana and infra/prometheus anew")
    mode.add_argument("--check", action="store_true", help="fail if one of the files is not current")
    write: bool = parser.parse_args(arguments).write
    stale = 0
    for name, text in rendered().items():
        path = infra / name
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not current: run `python -m streams.watch --write`\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
