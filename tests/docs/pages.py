"""The pages that people read, taken apart: code blocks, commands, links, variables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))))

SHELL = frozenset({"sh", "bash", "console"})
OPERATORS = frozenset("|&;<>()")

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_OURS = re.compile(r"(?:[^\[\]]+ \| )?modstream [^\[\]]+")
"""A line that runs modstream; one with brackets shows what may be given, and cannot be typed."""
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command of a block: its words, without what is assigned before it."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, languages: frozenset[str] | None = None) -> list[str]:
    """The fenced blocks in one of these languages, or all of them."""
    found = _FENCE.finditer(page.read_text(encoding="utf-8"))
    return [match["text"] for match in found if languages is None or match["language"] in languages]


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def in_line_code(page: Path) -> list[str]:
    return [" ".join(code.split()) for code in _CODE.findall(prose(page))]


def links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("``", prose(page)))


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    headings = _HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[Command]:
    """Every simple command in the page's shell blocks, and ours in blocks that name no language."""
    for block in blocks(page, SHELL):
        yield from _commands(page, joined_lines(block))
    for block in blocks(page, frozenset({""})):
        yield from _commands(page, filter(_OURS.fullmatch, joined_lines(block)))


def exports(block: str) -> dict[str, str]:
    """What a block exports."""
    found: dict[str, str] = {}
    for line in joined_lines(block):
        words = shlex.split(line, comments=True)
        if words[:1] == ["export"]:
            found |= dict(word.split("=", 1) for word in words[1:])
    return found


def _commands(page: Path, lines: Iterable[str]) -> Iterator[Command]:
    for line in lines:
        for words in _simple(line):
            yield Command(name_of(page), tuple(words))


def joined_lines(block: str) -> list[str]:
    """The lines of a block, those that are continued joined."""
    return block.replace("\\\n", " ").splitlines()


def _simple(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if not OPERATORS.issuperset(token):
            words.append(token)
            continue
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words.pop(0)
        if words:
            yield words
        words = []
