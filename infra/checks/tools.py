"""Tools that are no Python packages: found, installed where that is possible, or named."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from infra.checks.outcome import ROOT, Outcome, in_ci

BIN = ROOT / "build" / "bin"
"""Where tools of ours go: never onto a person's own path."""

HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"
INSTALL_TIMEOUT_S = 420
NOT_INSTALLED, TIMED_OUT = 127, 124
"""Exit codes as shells have them."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, and the ways to get it: a Go package, or Debian's package."""

    name: str
    go: str | None = None
    debian: str | None = None

    @property
    def hint(self) -> str:
        way = f"GOBIN={BIN} go install {self.go}" if self.go else f"apt-get install {self.debian}"
        return f"{self.name} is not installed: {way}"


NEEDED = (
    Tool("helm", go=HELM),
    Tool("prometheus", debian="prometheus"),
    Tool("promtool", debian="prometheus"),
    Tool("chromium", debian="chromium"),
)
"""What the tests marked `infra` and `browser` need."""


def search_path() -> str:
    """The PATH with our own tools first."""
    return f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def find(name: str) -> str | None:
    """The program's path, if it is there."""
    return shutil.which(name, path=search_path())


def run(*command: str, timeout_s: float = 120) -> tuple[int, str]:
    """Exit code and output of a command; 127 when it is not installed, 124 when it takes too long."""
    if (program := find(command[0])) is None:
        return NOT_INSTALLED, ""
    try:
        done = subprocess.run(
            [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return TIMED_OUT, f"{command[0]} did not end within {timeout_s:g} s"
    return done.returncode, (done.stdout + done.stderr).strip()


def provide(tools: Iterable[Tool] = NEEDED) -> Outcome:
    """Install what is missing and can be had; in CI, what is missing then is a fault, and elsewhere it is named."""
    tools = tuple(tools)
    notes: list[str] = []
    for tool in tools:
        if tool.go and find(tool.name) is None and find("go"):
            notes.append(f"installing {tool.name} with `go install {tool.go}`")
            notes += _complaints("env", f"GOBIN={BIN}", "go", "install", tool.go)
    missing = {tool.debian for tool in tools if tool.debian and find(tool.name) is None}
    if missing and find("apt-get") and os.geteuid() == 0:
        notes.append(f"installing Debian's {', '.join(sorted(missing))}")
        if in_ci():  # a person's package lists are theirs to renew
            notes += _complaints("apt-get", "update", "--quiet=2")
        arguments = ("install", "--yes", "--quiet=2", "--no-install-recommends", *sorted(missing))
        notes += _complaints("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *arguments)
    absent = [tool.hint for tool in tools if find(tool.name) is None]
    if absent and in_ci():
        return Outcome("tools", faults=tuple(absent), notes=tuple(notes))
    skipped = "some are missing, and so are the tests that need them" if absent else None
    return Outcome("tools", skipped=skipped, notes=(*notes, *absent))


def _complaints(*command: str) -> list[str]:
    """The end of what a command says when it fails; nothing when it does not."""
    code, output = run(*command, timeout_s=INSTALL_TIMEOUT_S)
    return [] if code == 0 else [f"  {line}" for line in output.splitlines()[-3:]]


def ask(name: str, probe: list[str], command: list[str]) -> Outcome:
    """A linter that is welcome and not needed: skipped when its `probe` says that it is not installed."""
    if run(*probe)[0] != 0:
        return Outcome(name, skipped="it is not installed here")
    code, output = run(*command)
    return Outcome.of(name, () if code == 0 else output.splitlines() or [f"exit code {code}"])
