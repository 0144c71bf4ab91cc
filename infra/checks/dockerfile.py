"""What is wrong with the Dockerfile, as far as reading it tells."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Sequence

from infra.checks.images import is_pinned
from infra.checks.outcome import ROOT


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """(instruction, arguments) in order, comments dropped and continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    parts = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name.upper(), arguments.strip()) for name, _, arguments in parts]


def reaches_the_build(source: str, ignore: str) -> bool:
    """Whether .dockerignore lets `source` through: the last pattern that fits decides, as Docker has it."""
    kept = True
    for pattern in (line.strip() for line in ignore.splitlines()):
        if pattern and not pattern.startswith("#"):
            bare = pattern.lstrip("!").strip("/")
            if fnmatch.fnmatch(source, bare) or source.startswith(bare + "/"):
                kept = pattern.startswith("!")
    return kept


def dockerfile_faults(text: str, ignore: str, packaged: Sequence[str] = ()) -> Iterator[str]:
    """A sentence each. `ignore` is the text of .dockerignore, `packaged` the folders that the wheel is to hold: one
    that does not reach the build is left out of it without a word."""
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
    yield from (
        f"the wheel holds {folder}/, which .dockerignore keeps from the build"
        for folder in packaged
        if not reaches_the_build(folder, ignore)
    )
    last_from = max(at for at, (name, _) in enumerate(steps) if name == "FROM")
    final = steps[last_from:]
    yield from _final_faults(final)


def _final_faults(final: list[tuple[str, str]]) -> Iterator[str]:
    """Of the stage that becomes the image."""
    last = dict(final)
    user = last.get("USER", "root").split(":")[0]
    if not user.isdigit() or user == "0":
        yield f"the image runs as {user}: expected a number other than 0, which Kubernetes' runAsNonRoot can tell"
    try:
        json.loads(last.get("ENTRYPOINT", ""))
    except ValueError:
        yield "ENTRYPOINT is not in exec form, so signals do not reach the worker"
    if "HEALTHCHECK" not in last:
        yield "there is no HEALTHCHECK"
    # With a read-only root, the process writes to its state folder and to /tmp alone: both are mounted.
    environment = dict(pair.split("=", 1) for name, text in final if name == "ENV" for pair in text.split())
    state, home = environment.get("MODSTREAM_STATE_DIR"), environment.get("HOME")
    if state is None or ("VOLUME", state) not in final:
        yield "MODSTREAM_STATE_DIR is no VOLUME, so that nothing could be written there with a read-only root"
    if home != state:
        yield f"HOME is {home}: expected MODSTREAM_STATE_DIR, the one place that can be written with a read-only root"
