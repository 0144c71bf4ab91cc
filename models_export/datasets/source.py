"""Files as their authors published them, entry by entry, each with its place to name when something is wrong."""

from __future__ import annotations

import csv
import json
import lzma
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

from models_export.datasets.manifest import DatasetError

MAX_FIELD = 10_000_000
"""Characters of a cell; csv's own limit is below what long posts reach."""

PACKED = ".xz"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a file."""

    place: str
    """File and row, for people."""
    fields: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """The first of these fields that is there, as text. Raises DatasetError where none is."""
        for name in names:
            value = self.fields.get(name)
            if value is not None:
                return str(value)
        there = ", ".join(name for name, value in self.fields.items() if value is not None)
        raise DatasetError(f"{self.place}: no field {' or '.join(names)}; it has {there}")

    def maybe(self, *names: str) -> str | None:
        """The same; None where none is there, or it is empty."""
        return next((str(self.fields[name]) for name in names if self.fields.get(name) not in (None, "")), None)

    def mapped(self, name: str, table: Mapping[str, Value]) -> Value:
        """What the field's label means. Raises DatasetError for a label that `table` lacks."""
        return self.meaning(name, self.text(name), table)

    def meaning(self, what: str, label: object, table: Mapping[str, Value]) -> Value:
        """What `label` means, found in the field `what`. Raises DatasetError for one that `table` lacks."""
        key = str(label)
        if key not in table:
            raise DatasetError(f"{self.place}: {what} {key!r} is mapped to nothing; expected one of {', '.join(table)}")
        return table[key]

    def listed(self, name: str) -> list[Any]:
        """Raises DatasetError where the field is no list."""
        value = self.fields.get(name)
        if not isinstance(value, list):
            raise DatasetError(f"{self.place}: {name} is {type(value).__name__}; expected a list")
        return value

    def lists(self, name: str) -> list[list[Any]]:
        """A list of lists. Raises DatasetError where it is anything else."""
        return [self._within(name, value, list) for value in self.listed(name)]

    def objects(self, name: str) -> list[Entry]:
        """A list of objects. Raises DatasetError where it is anything else."""
        return [Entry(self.place, self._within(name, value, dict)) for value in self.listed(name)]

    def _within(self, name: str, value: Any, kind: type[Value]) -> Value:
        if not isinstance(value, kind):
            raise DatasetError(f"{self.place}: {name} has a {type(value).__name__}; expected a {kind.__name__} each")
        return value


def find(folder: Path, *names: str) -> Path | None:
    """The first of these files that is there, packed with xz or not."""
    return next(
        (path for name in names for path in (folder / name, folder / f"{name}{PACKED}") if path.is_file()), None
    )


@contextmanager
def opened(path: Path) -> Generator[TextIO]:
    """Text, a byte order mark left out. Raises DatasetError, while it is read, for what is no such text."""
    open_text = lzma.open if path.suffix == PACKED else open
    with open_text(path, "rt", encoding="utf-8-sig", newline="") as file:
        try:
            yield file
        except (UnicodeDecodeError, lzma.LZMAError, EOFError) as error:
            packed = " packed with xz, whole" if path.suffix == PACKED else ""
            raise DatasetError(f"{path}: {error}; expected UTF-8{packed}") from None


def json_lines(path: Path) -> Iterator[Entry]:
    """Raises DatasetError for a line that is no JSON object."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _entry(f"{path}, row {number}", _parsed(line, f"{path}, row {number}"))


def json_list(path: Path) -> Iterator[Entry]:
    """A JSON list of objects."""
    for number, value in enumerate(_whole(path, list), 1):
        yield _entry(f"{path}, row {number}", value)


def json_entries(path: Path) -> Iterator[tuple[str, Entry]]:
    """A JSON object of objects: each with its key."""
    for key, value in _whole(path, dict).items():
        yield key, _entry(f"{path}, row {key}", value)


def table(path: Path, delimiter: str = ",") -> Iterator[Entry]:
    """Rows under a header; the first row is row 2. Raises DatasetError for a row with more cells than the header."""
    csv.field_size_limit(MAX_FIELD)
    with opened(path) as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        try:
            for number, row in enumerate(reader, 2):
                # A text that is not quoted falls apart where it has the delimiter: what follows would be lost.
                if any(row.pop(None, ())):  # pyright: ignore[reportCallIssue, reportArgumentType]
                    raise DatasetError(f"{path}, row {number}: more cells than in the header; expected texts in quotes")
                yield Entry(f"{path}, row {number}", row)
        except csv.Error as error:
            raise DatasetError(f"{path}, from line {reader.line_num + 1}: {error}; expected a closed quote") from None


def id_list(path: Path) -> list[str]:
    """Ids, a line each."""
    with opened(path) as file:
        return [line.strip() for line in file if line.strip()]


def whole_object(path: Path) -> dict[str, Any]:
    """A file that is one JSON object."""
    return _whole(path, dict)


def _whole(path: Path, kind: type[Any]) -> Any:
    with opened(path) as file:
        value = _parsed(file.read(), str(path))
    if not isinstance(value, kind):
        raise DatasetError(f"{path}: a JSON {type(value).__name__}; expected a {kind.__name__}")
    return value


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{place}: {error}; expected JSON") from None


def _entry(place: str, value: Any) -> Entry:
    if not isinstance(value, dict):
        raise DatasetError(f"{place}: a JSON {type(value).__name__}; expected an object")
    return Entry(place, value)
