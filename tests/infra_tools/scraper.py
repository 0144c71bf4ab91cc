"""A real Prometheus with our rules, which scrapes the workers of a test every second."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from streams.watch.foreign import JOB

INFRA = Path(__file__).resolve().parents[2] / "infra"
RULES = ("recording_rules.yml", "alert_rules.yml")
READY = "Server is ready to receive web requests."


class Prometheus:
    """Use it as a context manager; it serves on a free port of loopback."""

    def __init__(self, program: str, folder: Path, targets: Sequence[str]) -> None:
        for name in RULES:
            groups = yaml.safe_load((INFRA / "prometheus" / name).read_text(encoding="utf-8"))
            for group in groups["groups"]:
                group["interval"] = "1s"
            (folder / name).write_text(yaml.safe_dump(groups), encoding="utf-8")
        config: dict[str, Any] = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": list(RULES),
            "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": list(targets)}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self._port = free_port()
        self._log = folder / "prometheus.log"
        self._command = [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]

    def __enter__(self) -> Prometheus:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said: list[str] = []
        for line in self._process.stderr:
            said.append(line)
            if READY in line:
                break
        else:
            raise AssertionError("".join(said))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)

    def values(self, expression: str) -> list[float]:
        """Of all series that an expression has now; those that are no number (0 / 0) are left out."""
        found = self._ask("query", query=expression)["result"]
        values = [float(series["value"][1]) for series in found]
        return [value for value in values if value == value]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def _ask(self, what: str, **parameters: str) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self._port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=20) as answer:
            return json.load(answer)["data"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
