"""The site shows pages that lie outside docs/ too, and its links lead where they do in the repository.

The pages are written for the repository: `../examples/posts.jsonl` is a file beside docs/. The site is docs/ alone. So
the pages of `ELSEWHERE` become pages of the site, other files that a page links to are put into it as they are, and of
a link to a folder the text remains. Pure functions: `hooks.py` gives them to mkdocs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "models/embedded/MODEL_CARD.md": "model-card.md",
    "console/API.md": "console-api.md",
}
"""Pages outside docs/, by their path in the repository: their names on the site."""

SOURCES = "source"
"""The site's folder for files that pages link to and that are no pages."""

_OUTSIDE = re.compile(r"[a-z]+:|#|$")
"""What begins so is no path: an address with a scheme, a heading of the same page, nothing."""

_CODE_OR_LINK = re.compile(
    r"^ *```.*?^ *```$"  # a block
    r"|\[(?P<text>(?:`[^`]*`|[^\[\]`])+)\]\((?P<target>[^()\s]+)\)"
    r"|`[^`]+`",
    re.MULTILINE | re.DOTALL,
)


def for_the_site(text: str, page: str) -> tuple[str, set[str]]:
    """The page's text with its links as the site needs them, and the files outside docs/ that it links to.

    `page` is its path in the repository; files are paths in the repository too. A link that leads nowhere stays as it
    is: mkdocs names it.
    """
    files: set[str] = set()
    here = posixpath.dirname(site_path(page) or "")

    def rewritten(match: re.Match[str]) -> str:
        target = match["target"]
        if target is None or _OUTSIDE.match(target):
            return match[0]
        path, sign, anchor = target.partition("#")
        repository = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        if (ROOT / repository).is_dir():
            return match["text"]
        there = site_path(repository)
        if there is None:
            if repository.endswith(".md") or not (ROOT / repository).is_file():
                return match[0]
            files.add(repository)
            there = f"{SOURCES}/{repository}"
        return f"[{match['text']}]({posixpath.relpath(there, here or '.')}{sign}{anchor})"

    return _CODE_OR_LINK.sub(rewritten, text), files


def site_path(repository: str) -> str | None:
    """Where a page or picture of the repository is on the site; None where it is not."""
    if repository in ELSEWHERE:
        return ELSEWHERE[repository]
    inside = repository.removeprefix("docs/")
    return inside if inside != repository else None


def repository_path(site: str) -> str:
    """The reverse of `site_path`."""
    return next((page for page, there in ELSEWHERE.items() if there == site), f"docs/{site}")


def linked_files(pages: list[str], read: Callable[[str], str]) -> set[str]:
    """The files outside docs/ that these pages link to."""
    return {file for page in pages for file in for_the_site(read(page), page)[1]}
