"""What the pages point at is there: files, headings, variables; and the pages that the code points at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.settings import catalogue
from streams.settings.load import CONFIG_VARIABLE
from tests.docs.pages import PAGES, ROOT, anchors, links, name_of, prose

OUTSIDE = ("http://", "https://", "mailto:")
VARIABLES = {entry.env for entry in catalogue().values()} | {CONFIG_VARIABLE}
SECTIONS = {f"{variable.rpartition('__')[0]}__" for variable in VARIABLES if "__" in variable}
CODE = [
    path
    for folder in ("schemas", "processors", "streams", "console", "commands", "models_export")
    for path in (ROOT / folder).rglob("*.py")
]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(OUTSIDE):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), f"{link}: there is no such file"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_variables_are_settings(page: Path) -> None:
    """`MODSTREAM_KAFKA__…` stands for a group of them."""
    for variable in re.findall(r"\bMODSTREAM_[A-Z0-9_]*", page.read_text(encoding="utf-8")):
        assert variable in VARIABLES | SECTIONS | {"MODSTREAM_"}, variable


def test_pages_that_the_code_names_exist() -> None:
    named = {
        (str(path.relative_to(ROOT)), page)
        for path in CODE
        for page in re.findall(r"\bdocs/[\w.-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert named
    assert {(path, page) for path, page in named if not (ROOT / page).is_file()} == set()


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    waiting = list(reached)
    while waiting:
        page = waiting.pop()
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_file() and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert set(PAGES) - reached == set()


def test_the_readmes_table_has_every_folder() -> None:
    here = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    packages = {name for name in here if not name.startswith(".") and name not in {"build", "dist"}}
    assert {f"[`{name}/`]({name})" for name in packages} <= set(
        re.findall(r"\[`\w+/`\]\(\w+\)", prose(ROOT / "README.md"))
    )
