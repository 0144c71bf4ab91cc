"""The documentation as a site: every page has its place, and links that leave docs/ lead somewhere there too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.site.pages import ELSEWHERE, SOURCES, for_the_site, linked_files, repository_path, site_path
from tests.docs.pages import PAGES, ROOT, blocks, name_of

CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
NAV = re.findall(r"^ +- .*?([\w/-]+\.md)$", CONFIG.partition("\nnav:\n")[2], re.MULTILINE)


def test_every_page_has_its_place_in_the_navigation_once() -> None:
    pages = {there for page in PAGES if (there := site_path(name_of(page)))}
    assert sorted(NAV) == sorted(pages | set(ELSEWHERE.values()))


def test_what_is_a_page_elsewhere_is_there() -> None:
    assert all((ROOT / page).is_file() for page in ELSEWHERE)
    assert [repository_path(there) for there in ELSEWHERE.values()] == list(ELSEWHERE)
    assert repository_path("policy.md") == "docs/policy.md"


@pytest.mark.parametrize(
    ("page", "link", "becomes"),
    [
        ("docs/policy.md", "[x](media.md#sound)", "[x](media.md#sound)"),
        ("docs/policy.md", "[card](../models/embedded/MODEL_CARD.md#labels)", "[card](model-card.md#labels)"),
        ("README.md", "[x](docs/policy.md#rules)", "[x](policy.md#rules)"),
        ("models/embedded/MODEL_CARD.md", "[x](../../docs/policy.md)", "[x](policy.md)"),
        ("README.md", "![page](docs/images/console-overview.png)", "![page](images/console-overview.png)"),
        ("docs/policy.md", "[`p`](../examples/posts.jsonl)", f"[`p`]({SOURCES}/examples/posts.jsonl)"),
        ("README.md", "[`LICENSE`](LICENSE)", f"[`LICENSE`]({SOURCES}/LICENSE)"),
        ("README.md", "the [`examples/`](examples) here", "the `examples/` here"),
        (
            "docs/policy.md",
            "[a](https://cel.dev) [b](#rules) [c](gone.md)",
            "[a](https://cel.dev) [b](#rules) [c](gone.md)",
        ),
        ("docs/policy.md", "`[x](../examples)` and\n\n```\n[x](../examples)\n```\n", None),
    ],
)
def test_a_link_leads_where_it_does_in_the_repository(page: str, link: str, becomes: str | None) -> None:
    assert for_the_site(link, page)[0] == (link if becomes is None else becomes)


def test_files_that_pages_link_to_are_put_into_the_site() -> None:
    found = linked_files(["README.md", "docs/architecture.md"], lambda page: (ROOT / page).read_text(encoding="utf-8"))
    assert {"LICENSE", "infra/kafka/server.properties"} <= found
    assert not any(file.endswith(".md") for file in found)


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert "font: false" in CONFIG
    assert not re.search(r"https?:|extra_javascript|extra_css", CONFIG)
    # Mermaid would be loaded from a CDN.
    assert not [name_of(page) for page in PAGES if blocks(page, frozenset({"mermaid"}))]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_an_item_that_follows_a_paragraph_of_the_item_before_is_apart(page: Path) -> None:
    """GitHub sees an item there without an empty line before it; the site would take it for text."""
    text = page.read_text(encoding="utf-8")
    assert not re.search(
        r"^\n {2,}(?![*-] |\d+\. |```)\S[^\n]*\n(?: {2,}\S[^\n]*\n)*(?:[*-]|\d+\.) ", text, re.MULTILINE
    )
