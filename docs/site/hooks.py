"""Hooks of mkdocs (mkdocs.yml names them): pages and files from outside docs/, and lists as GitHub reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import markdown
from mkdocs.structure.files import File, Files

from docs.site.pages import ELSEWHERE, ROOT, SOURCES, for_the_site, linked_files, repository_path

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

LIST_INDENT = 2
"""What stands under an item of a list is indented by this much, as GitHub takes it; Python-Markdown's default is 4."""


class _ListsAsOnGitHub(markdown.Extension):
    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        md.tab_length = LIST_INDENT
        md.build_parser()  # its parts have read the length already


def on_config(config: MkDocsConfig) -> None:
    # The first of all: the others add to the parser that it builds.
    config.markdown_extensions.insert(0, _ListsAsOnGitHub())  # pyright: ignore[reportArgumentType]


def on_files(files: Files, config: MkDocsConfig) -> None:
    for page, there in ELSEWHERE.items():
        files.append(File.generated(config, there, content=_read(page)))
    pages = [repository_path(file.src_uri) for file in files.documentation_pages()]
    for path in sorted(linked_files(pages, _read)):
        files.append(File.generated(config, f"{SOURCES}/{path}", abs_src_path=str(ROOT / path)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    text, _ = for_the_site(markdown, repository_path(page.file.src_uri))
    return text


def _read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")
