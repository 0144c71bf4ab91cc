"""What a command prints: data on stdout, what is for a person on stderr."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Sequence

import orjson


def say(text: str) -> None:
    """A line for a person."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def counted(count: int, what: str) -> str:
    """`1 dead letter`, `1,200 dead letters`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def put_line(text: str) -> None:
    """A line of data."""
    sys.stdout.write(f"{text}\n")


def put_json(value: object) -> None:
    """One JSON document on one line."""
    put_line(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode())


def put_table(header: Sequence[str], rows: Sequence[Sequence[object]], *, right: frozenset[str] = frozenset()) -> None:
    """A table whose columns are as wide as their widest cell; `right` names the columns that hold numbers."""
    put_columns([header, *rows], frozenset(at for at, name in enumerate(header) if name in right))


def put_columns(rows: Sequence[Sequence[object]], right: frozenset[int] = frozenset()) -> None:
    """Rows without a header; `right` has the places of the columns that hold numbers."""
    for line in columns(rows, right):
        put_line(line)


def columns(rows: Sequence[Sequence[object]], right: frozenset[int] = frozenset()) -> Iterator[str]:
    """The lines of a table."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [
            " " * (size - width(cell)) + cell if at in right else cell + " " * (size - width(cell))
            for at, (cell, size) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(padded).rstrip()


def printable(text: str) -> str:
    """On one line and without what a terminal would obey: senders choose these texts, and escape sequences are text."""
    return "".join(
        character if character.isprintable() else "" if unicodedata.category(character) == "Cf" else " "
        for character in text
    )


def width(text: str) -> int:
    """Columns that `text` takes in a terminal: East Asian wide characters take two, marks on others none."""
    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def cut(text: str, columns: int) -> str:
    """`text` in at most `columns` columns, with an ellipsis where something is missing."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for character in text[: 4 * columns]:  # marks take no columns: without this, thousands would pile up
        used += width(character)
        if used >= columns:
            break
        kept += character
    return f"{kept.rstrip()}…"
