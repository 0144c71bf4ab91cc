"""Tables in Markdown, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; numbers to the right, floats with three digits, None as a dash."""
    body = [list(row) for row in rows]
    right = [bool(body) and all(isinstance(row[at], int | float | None) for row in body) for at in range(len(head))]
    lines = [
        head,
        ["---:" if numeric else "---" for numeric in right],
        *([cell(entry) for entry in row] for row in body),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: Any) -> str:
    """A value within a table."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def figure_tables(figures: Mapping[str, Any]) -> Iterator[str]:
    """Blocks for figures of any shape, as a manifest's parts hold them: values in one table, then one for each group.

    A group of groups has a row for each of them.
    """
    plain = {name: value for name, value in figures.items() if not isinstance(value, Mapping) or _is_interval(value)}
    if plain:
        yield _pairs(plain)
    for name, group in figures.items():
        if name in plain or not group:
            continue
        yield f"{_words(name).capitalize()}:"
        if all(isinstance(row, Mapping) and not _is_interval(row) for row in group.values()):
            columns = list(dict.fromkeys(column for row in group.values() for column in row))
            rows = [(member, *(_brief(row.get(column)) for column in columns)) for member, row in group.items()]
            yield table(("", *map(_words, columns)), rows)
        else:
            yield _pairs(group)


def _pairs(values: Mapping[str, Any]) -> str:
    return table(("what", "figure"), [(_words(name), _brief(value)) for name, value in values.items()])


def _brief(value: Any) -> Any:
    """Nested figures on one line; numbers stay numbers."""
    if isinstance(value, Mapping):
        if _is_interval(value):
            between = f"{cell(value['low'])} to {cell(value['high'])}"
            return f"{cell(value['value'])} ({between})" if "value" in value else between
        return ", ".join(f"{_words(name)} {cell(_brief(entry))}" for name, entry in value.items()) or None
    return ", ".join(cell(_brief(entry)) for entry in value) if isinstance(value, list | tuple) else value


def _is_interval(value: Mapping[str, Any]) -> bool:
    """A 95% interval, with what it is of or without, as `models_export.measures.bootstrap.Estimate` is written down."""
    return {"low", "high"} <= value.keys() <= {"value", "low", "high"}


def _words(name: str) -> str:
    return name.replace("_", " ")
