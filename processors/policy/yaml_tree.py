"""Reads YAML into a tree of marked nodes, taking only what a policy needs.

The tree keeps every scalar as the text it is in the file, so that `no` stays Norwegian and `1e3` is judged by whoever
reads it. Aliases, anchors, tags, several documents, duplicate keys and anything over the limits are refused while the
parser's events stream by, before anything is built from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from processors.policy.problems import Mark, quote

MAX_BYTES = 512 * 1024
"""Room for some 2,000 rules."""

MAX_DEPTH = 12
"""A policy nests eight levels (layers, tenants, tenant, rules, rule, message, language, text)."""

MAX_NODES = 30_000
"""What 2,000 rules have; the parser, which is pure Python, takes about a second for as many."""

MAX_SCALAR_CHARS = 4_000
"""No text in a policy is longer; fields have tighter limits of their own."""


class YamlProblem(ValueError):
    """The file is not YAML that a policy may be written in. `mark` is None where no place is known."""

    def __init__(self, mark: Mark | None, message: str) -> None:
        self.mark = mark
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it stands in the file."""

    mark: Mark
    text: str
    plain: bool
    """Not quoted and no block: only then can it be a number or nothing at all."""
    start: int | None
    """Column offset of the text's first character from `mark`; None where they cannot be matched (blocks, escapes)."""

    @property
    def empty(self) -> bool:
        return self.plain and self.text in {"", "~", "null"}

    def at(self, offset: int) -> Mark:
        """The place of the character at `offset`, as near as it is known."""
        return self.mark if self.start is None else self.mark.right(self.start + offset)


@dataclass(frozen=True, slots=True)
class Sequence:
    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    mark: Mark
    entries: dict[str, tuple[Scalar, Node]]
    """Key -> the key's own scalar and the value; in the file's order."""


Node = Scalar | Sequence | Mapping


def read_tree(raw: bytes) -> Node:
    """The one document in `raw`, UTF-8. Raises `YamlProblem`."""
    if len(raw) > MAX_BYTES:
        raise YamlProblem(None, f"{len(raw):,} bytes; expected at most {MAX_BYTES:,}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlProblem(None, f"byte {error.start} is not UTF-8; expected a UTF-8 text") from None
    try:
        return _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlProblem(
            Mark(place.line + 1, place.column + 1) if place else None, f"not valid YAML: {said}"
        ) from None
    except yaml.YAMLError as error:  # the reader's own: characters that YAML forbids
        raise YamlProblem(None, f"not valid YAML: {' '.join(str(error).split())[:200]}") from None


class _Builder:
    """Builds the tree from the event stream, one event of look-ahead nowhere needed."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._nodes = 0

    def document(self) -> Node:
        next(self._events)  # stream start
        first = next(self._events)
        if isinstance(first, yaml.StreamEndEvent):
            raise YamlProblem(Mark(1, 1), "the file is empty; expected a policy")
        root = self._node(next(self._events), depth=1)
        next(self._events)  # document end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise YamlProblem(_mark(after), "a second document starts here; expected one policy per file")
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        mark = _mark(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise YamlProblem(mark, f"more than {MAX_NODES:,} values; expected fewer")
        if isinstance(event, yaml.AliasEvent):
            raise YamlProblem(mark, f"alias {quote(str(event.anchor))}; write the value out, aliases are refused")
        if not isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            raise YamlProblem(mark, "expected a value")
        if event.anchor is not None:
            raise YamlProblem(mark, f"anchor {quote(str(event.anchor))}; anchors and aliases are refused")
        if event.tag is not None:
            raise YamlProblem(
                mark, f"tag {quote(str(event.tag))}; expected no tags, and quotes around a text that begins with !"
            )
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, mark)
        if depth > MAX_DEPTH:
            raise YamlProblem(mark, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(mark, depth)
        return self._mapping(mark, depth)

    def _sequence(self, mark: Mark, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(mark, tuple(items))

    def _mapping(self, mark: Mark, depth: int) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise YamlProblem(key.mark, "a list or mapping as a key; expected a name")
            if key.text in entries:
                first = entries[key.text][0].mark
                raise YamlProblem(key.mark, f"key {quote(key.text)} is set twice (first in line {first.line})")
            entries[key.text] = (key, self._node(next(self._events), depth + 1))
        return Mapping(mark, entries)


def _scalar(event: yaml.ScalarEvent, mark: Mark) -> Scalar:
    if len(event.value) > MAX_SCALAR_CHARS:
        raise YamlProblem(mark, f"a text of {len(event.value):,} characters; expected at most {MAX_SCALAR_CHARS:,}")
    if any("\ud800" <= character <= "\udfff" for character in event.value):  # "\\ud800" with quotes spells one
        raise YamlProblem(mark, "a text with half a surrogate pair; expected Unicode characters")
    plain = event.style is None
    start: int | None = None
    first, last = event.start_mark, event.end_mark
    if first and last and first.line == last.line:
        quotes = last.column - first.column - len(event.value)
        start = quotes // 2 if quotes in {0, 2} else None
    return Scalar(mark, event.value, plain, start)


def _mark(event: yaml.Event) -> Mark:
    mark = event.start_mark  # always set by the parser; only events that are made by hand have none
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
