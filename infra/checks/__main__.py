"""Run every check, print a line for each; exit code 1 when one failed.

`python -m infra.checks` is `make test-infra`; with names (`files`, `audit`, `sbom`, `tests`) it runs these alone.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Iterator

from infra.checks.audit import audit
from infra.checks.compose import compose_faults
from infra.checks.dockerfile import dockerfile_faults
from infra.checks.locks import lock_faults
from infra.checks.outcome import ROOT, Outcome
from infra.checks.sbom import build
from infra.checks.suites import run_suites
from infra.checks.tools import ask, provide

COMPOSE = ROOT / "infra" / "compose.yaml"


def files() -> Iterator[Outcome]:
    """Lock and container files, and what linters say of these where they are installed."""
    written = tomllib.loads((ROOT / "pyproject.toml").read_text())
    yield Outcome.of("requirements/*.lock", lock_faults(written["project"]))
    packaged = written["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    dockerfile, ignore = (ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text()
    yield Outcome.of("Dockerfile", dockerfile_faults(dockerfile, ignore, packaged))
    yield Outcome.of("infra/compose.yaml", compose_faults(COMPOSE))
    yield ask("hadolint", ["hadolint", "--version"], ["hadolint", "Dockerfile"])
    check = ["docker", "buildx", "build", "--check", "."]
    yield ask("docker buildx", ["sh", "-c", "docker buildx version && docker info"], check)
    config = ["docker", "compose", "--file", str(COMPOSE), "--profile", "*", "config", "--quiet"]
    yield ask("docker compose", ["docker", "compose", "version"], config)


def tests() -> Iterator[Outcome]:
    yield provide()
    yield run_suites()


CHECKS: dict[str, Callable[[], Iterator[Outcome]]] = {
    "files": files,
    "audit": lambda: iter((audit(),)),
    "sbom": lambda: iter((build(),)),
    "tests": tests,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.checks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(CHECKS)}; all by default")
    names = parser.parse_args().names or list(CHECKS)
    if unknown := sorted(set(names) - CHECKS.keys()):
        parser.error(f"there is no check {', '.join(unknown)}: expected some of {', '.join(CHECKS)}")
    failed = False
    for name in names:
        for outcome in CHECKS[name]():
            print("\n".join(outcome.lines()), flush=True)
            failed |= outcome.failed
    print("No image was built, no container was started, and no cluster was asked.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
