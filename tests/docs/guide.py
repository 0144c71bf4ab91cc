"""A guide whose blocks are applied to a copy of the repository, as a reader would."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

COPIED = ("schemas", "processors", "streams", "console", "commands", "models_export", "policies", "tests")
"""The folders that a guide may change, and the tests that it may add to."""

LINKED = ("models", "examples", "infra")
"""Those that the code reads."""

_BLOCK = re.compile(r"^```(?P<language>diff|python|yaml)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NEW_FILE = re.compile(r"# (?P<path>[\w/]+\.(?:py|yaml))\n(?P<text>.*)", re.DOTALL)


class DoesNotApply(Exception):
    """A block says something of a file that is not so."""


def copy_of_the_repository(folder: Path) -> Path:
    """A copy in which nothing that is written reaches the original."""
    unwanted = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "build").mkdir()
    return folder


def apply_blocks(page: Path, folder: Path) -> list[str]:
    """Write the page's new files and make its changes; the paths. Raises `DoesNotApply`."""
    changed: list[str] = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if match["language"] == "diff":
            changed += _apply(match["text"], folder)
        elif new := _NEW_FILE.fullmatch(match["text"]):
            path = folder / new["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new["text"], encoding="utf-8")
            changed.append(new["path"])
    return changed


def _apply(diff: str, folder: Path) -> Iterator[str]:
    for part in diff.split("--- ")[1:]:
        name, *hunks = part.split("@@\n")
        path = folder / name.strip()
        text = path.read_text(encoding="utf-8")
        for hunk in hunks:
            lines = [(line[:1], line[1:]) for line in hunk.splitlines()]
            before = "".join(f"{line}\n" for sign, line in lines if sign != "+")
            after = "".join(f"{line}\n" for sign, line in lines if sign != "-")
            if text.count(before) != 1:
                raise DoesNotApply(f"{name.strip()}: {text.count(before)} places look like this:\n{before}")
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")
        yield name.strip()
