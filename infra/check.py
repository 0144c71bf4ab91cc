"""Check lock files and container files without a container engine: `make test-infra`.

What only a tool can tell (hadolint, docker) is asked of it where it is installed, and named as skipped where it is
not. Nothing here builds an image or starts a container.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "infra" / "compose.yaml"
LOCKS = {
    "bench": ("local", "otlp", "insights", "dev", "docs", "infra", "bench"),
    "dev": ("local", "otlp", "insights", "dev"),
    "docs": ("local", "otlp", "insights", "dev", "docs"),
    "infra": ("local", "otlp", "insights", "dev", "infra"),
    "local": ("local", "insights"),
    "runtime": ("otlp", "insights"),
    "gpu": ("otlp", "insights", "gpu"),
    "train": ("train",),
}
"""The extras that each lock file holds beside the runtime."""


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """(instruction, arguments) in order, comments dropped and continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    parts = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name.upper(), arguments.strip()) for name, _, arguments in parts]


def is_pinned(image: str) -> bool:
    """Whether the reference names a tag other than `latest`, or a digest."""
    name, _, tag = image.rpartition(":")
    return "@sha256:" in image or (bool(name) and "/" not in tag and tag != "latest")


def reaches_the_build(source: str, ignore: str) -> bool:
    """Whether .dockerignore lets `source` through: the last pattern that fits decides, as Docker has it."""
    kept = True
    for pattern in (line.strip() for line in ignore.splitlines()):
        if pattern and not pattern.startswith("#"):
            bare = pattern.lstrip("!").strip("/")
            if fnmatch.fnmatch(source, bare) or source.startswith(bare + "/"):
                kept = pattern.startswith("!")
    return kept


def dockerfile_faults(text: str, ignore: str) -> Iterator[str]:
    """What is wrong with the Dockerfile, a sentence each."""
    steps = instructions(text)
    stages = {arguments.split(" AS ")[1] for name, arguments in steps if name == "FROM" and " AS " in arguments}
    families = {stage.rpartition("-")[0] for stage in stages}
    for name, arguments in steps:
        if name == "FROM":
            image = arguments.split(" AS ")[0]
            if image not in stages and image.removesuffix("-${DEVICE}") not in families and not is_pinned(image):
                yield f"FROM {image} is not pinned by a tag"
        if name == "COPY" and not arguments.startswith("--from"):
            for source in arguments.split()[:-1]:
                if not (ROOT / source).exists():
                    yield f"COPY {source}: there is no such file"
                elif source != "." and not reaches_the_build(source, ignore):
                    yield f"COPY {source}: .dockerignore keeps it from the build"
    last_from = max(at for at, (name, _) in enumerate(steps) if name == "FROM")
    final = dict(steps[last_from:])
    user = final.get("USER", "root")
    if user.split(":")[0] in {"root", "0"}:
        yield "the image runs as root"
    try:
        json.loads(final.get("ENTRYPOINT", ""))
    except ValueError:
        yield "ENTRYPOINT is not in exec form, so signals do not reach the worker"
    if "HEALTHCHECK" not in final:
        yield "there is no HEALTHCHECK"


def compose_faults(text: str) -> Iterator[str]:
    """What is wrong with the compose file, a sentence each."""
    try:
        services = yaml.safe_load(text)["services"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        yield f"not a compose file: {error}"
        return
    for name, service in services.items():
        if "build" not in service and not is_pinned(service.get("image", "")):
            yield f"service {name}: image {service.get('image')!r} is not pinned by a tag"
        for other in service.get("depends_on", ()):
            if other not in services:
                yield f"service {name} depends on {other}, which does not exist"


def lock_faults(project: dict[str, Any]) -> Iterator[str]:
    """Where requirements/*.lock do not hold what pyproject.toml asks for: `make lock` writes them anew."""
    extras = project["optional-dependencies"]
    for name, wanted in LOCKS.items():
        lock = ROOT / "requirements" / f"{name}.lock"
        text = lock.read_text()
        pins = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", text, re.MULTILINE))
        if "://" in text:
            yield f"{lock.name} names a host: it must work with any package index"
        if len(re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE)) > text.count(" \\\n    --hash=sha256:"):
            yield f"{lock.name} has an entry without a hash"
        for line in [*project["dependencies"], *(line for extra in wanted for line in extras[extra])]:
            requirement = Requirement(line)
            pin = pins.get(canonicalize_name(requirement.name))
            replaced = name == "gpu" and requirement.name == "onnxruntime"
            if not replaced and (pin is None or pin not in requirement.specifier):
                yield f"{lock.name} has {requirement.name} {pin or 'not at all'}, pyproject.toml wants {line}"


def run(*command: str) -> tuple[int, str]:
    """Exit code and output of a command; 127 when it is not installed."""
    if shutil.which(command[0]) is None:
        return 127, ""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def tool_faults(probe: list[str], command: list[str]) -> list[str] | None:
    """The complaints of a tool; None when its `probe` says that it is not installed."""
    if run(*probe)[0] != 0:
        return None
    code, output = run(*command)
    return [] if code == 0 else output.splitlines() or [f"exit code {code}"]


def main() -> int:
    """Run every check, print a line for each; 1 when one failed."""
    ignore = (ROOT / ".dockerignore").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    checks: dict[str, list[str] | None] = {
        "requirements/*.lock": list(lock_faults(project)),
        "Dockerfile": list(dockerfile_faults(DOCKERFILE.read_text(), ignore)),
    }
    tools = {
        "hadolint": (["hadolint", "--version"], ["hadolint", str(DOCKERFILE)]),
        "docker buildx": (
            ["sh", "-c", "docker buildx version && docker info"],
            ["docker", "buildx", "build", "--check", "."],
        ),
    }
    if COMPOSE.exists():
        checks["infra/compose.yaml"] = list(compose_faults(COMPOSE.read_text()))
        config = ["docker", "compose", "--file", str(COMPOSE), "config", "--quiet"]
        tools["docker compose"] = (["docker", "compose", "version"], config)
    checks |= {name: tool_faults(probe, command) for name, (probe, command) in tools.items()}
    for name, faults in checks.items():
        state = "skipped, it is not installed here" if faults is None else "FAILED" if faults else "ok"
        print(f"{name}: {state}")
        for fault in faults or ():
            print(f"  {fault}")
    print("No image was built and no container was started.")
    return int(any(checks.values()))


if __name__ == "__main__":
    sys.exit(main())
