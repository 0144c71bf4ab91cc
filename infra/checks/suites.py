"""The tests that need tools: `infra` and `browser`. Their own output goes to the terminal as it comes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from infra.checks.outcome import ROOT, Outcome, in_ci
from infra.checks.tools import search_path

_MARKS = re.compile(r"\bmark\.(infra|browser)\b")

RESULTS = ROOT / "build" / "infra" / "results.xml"


def marked_files() -> list[str]:
    """The files that hold such tests: the others need not even be read, and may skip for reasons of their own."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path.relative_to(ROOT)) for path in files if _MARKS.search(path.read_text(encoding="utf-8"))]


def skipped_tests(results: Path) -> Iterator[str]:
    """Name and reason of each test that was skipped. Reads what pytest has just written."""
    for case in ElementTree.parse(results).iter("testcase"):  # noqa: S314
        for reason in case.iter("skipped"):
            yield f"{case.get('classname')}.{case.get('name')}: {reason.get('message')}"


def run_suites() -> Outcome:
    """Run them; in CI, a test that was skipped is a fault, since nobody would see it."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-m", "infra or browser", f"--junitxml={RESULTS}", *marked_files()]
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": search_path()}, check=False).returncode
    if code != 0:
        return Outcome("tests that need tools", (f"pytest ended with exit code {code}",))
    skipped = tuple(skipped_tests(RESULTS))
    if skipped and in_ci():
        return Outcome("tests that need tools", (f"{len(skipped)} were skipped, which CI may not do", *skipped[:5]))
    return Outcome("tests that need tools", skipped=f"{len(skipped)} of them" if skipped else None)
