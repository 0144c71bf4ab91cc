"""Reads typed values out of marked nodes, and notes what is wrong with them: each reader gives None after a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from processors.policy.languages import EXPECTED_LANGUAGE, LANGUAGES
from processors.policy.problems import Mark, ProblemLog, expected, quote
from processors.policy.yaml_tree import Mapping, Node, Scalar, Sequence

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_INTEGER = re.compile(r"[0-9]+")
_UNPRINTABLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u2028\u2029]")


class Values:
    """The readers, writing to one log. `where` is the path of the value, as messages name it."""

    def __init__(self, log: ProblemLog) -> None:
        self.log = log

    def mapping(self, node: Node, where: str, wants: str) -> Mapping | None:
        if isinstance(node, Mapping):
            return node
        return self._wrong(node, where, wants)

    def sequence(self, node: Node, where: str, wants: str) -> Sequence | None:
        if isinstance(node, Sequence):
            return node
        return self._wrong(node, where, wants)

    def fields(
        self, mapping: Mapping, where: str, known: Iterable[str], required: Iterable[str] = ()
    ) -> dict[str, Node]:
        """The fields of a mapping by name; unknown and missing ones are noted."""
        names = tuple(known)
        found: dict[str, Node] = {}
        for name, (key, value) in mapping.entries.items():
            if name in names:
                found[name] = value
            else:
                self.log.error(key.mark, f"{where}: no field {quote(name)}; {expected(name, names)}")
        for name in required:
            if name not in mapping.entries:
                self.log.error(mapping.mark, f"{where}: {name} is missing")
        return found

    def items(self, node: Node | None, where: str, wants: str) -> Iterator[tuple[str, Mark, Node]]:
        """Key, its place and the value of each entry; nothing where the node is missing or no mapping."""
        mapping = self.mapping(node, where, wants) if node is not None else None
        for name, (key, value) in mapping.entries.items() if mapping else ():
            yield name, key.mark, value

    def scalar(self, node: Node, where: str, wants: str) -> Scalar | None:
        if isinstance(node, Scalar) and not node.empty:
            return node
        return self._wrong(node, where, wants)

    def text(self, node: Node, where: str, wants: str, max_chars: int) -> str | None:
        """A text on one line."""
        scalar = self.scalar(node, where, wants)
        if scalar is None:
            return None
        text = scalar.text.strip()
        if not text or len(text) > max_chars or _UNPRINTABLE.search(text):
            wants = f"{wants}, 1 to {max_chars} printable characters"
            self.log.error(scalar.mark, f"{where}: {quote(text)}; expected {wants}")
            return None
        return text

    def name(self, node: Node, where: str, wants: str, pattern: re.Pattern[str]) -> str | None:
        scalar = self.scalar(node, where, wants)
        if scalar is None:
            return None
        if not pattern.fullmatch(scalar.text):
            self.log.error(scalar.mark, f"{where}: {quote(scalar.text)}; expected {wants}")
            return None
        return scalar.text

    def is_language(self, code: str, mark: Mark, where: str) -> bool:
        if code not in LANGUAGES:
            self.log.error(mark, f"{where}: {quote(code)} is no language code; expected {EXPECTED_LANGUAGE}")
        return code in LANGUAGES

    def choice(self, node: Node, where: str, options: Iterable[str]) -> str | None:
        names = tuple(options)
        scalar = self.scalar(node, where, f"one of {', '.join(names)}")
        if scalar is None:
            return None
        if scalar.text not in names:
            self.log.error(scalar.mark, f"{where}: {quote(scalar.text)}; {expected(scalar.text, names)}")
            return None
        return scalar.text

    def probability(self, node: Node, where: str) -> float | None:
        wants = "a number from 0 to 1"
        scalar = self.scalar(node, where, wants)
        if scalar is None:
            return None
        if not scalar.plain or not _NUMBER.fullmatch(scalar.text) or not 0 <= float(scalar.text) <= 1:
            self.log.error(scalar.mark, f"{where}: {quote(scalar.text)}; expected {wants}")
            return None
        return float(scalar.text)

    def integer(self, node: Node, where: str, low: int, high: int) -> int | None:
        wants = f"a whole number from {low} to {high}"
        scalar = self.scalar(node, where, wants)
        if scalar is None:
            return None
        # As a float first: int() of thousands of digits is slow, and refused by Python with its own message.
        if not scalar.plain or not _INTEGER.fullmatch(scalar.text) or not low <= float(scalar.text) <= high:
            self.log.error(scalar.mark, f"{where}: {quote(scalar.text)}; expected {wants}")
            return None
        return int(scalar.text)

    def _wrong(self, node: Node, where: str, wants: str) -> None:
        if isinstance(node, Scalar):
            found = "nothing" if node.empty else quote(node.text)
        else:
            found = "a list" if isinstance(node, Sequence) else "a mapping"
        self.log.error(node.mark, f"{where}: found {found}; expected {wants}")
