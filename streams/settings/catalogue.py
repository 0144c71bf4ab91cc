"""Every setting by its dotted name: what it is called in each source, its type, default, description and bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import inspect

from streams.settings.private import Overrides, Secret
from streams.settings.tree import Settings

ENV_PREFIX = "MODSTREAM_"


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting. `kind` is its type as msgspec describes it, without `None`; `annotation` is the type as written."""

    name: str
    annotation: Any
    kind: inspect.Type
    optional: bool
    default: Any
    description: str
    title: str | None

    @property
    def env(self) -> str:
        """Its environment variable."""
        return ENV_PREFIX + self.name.upper().replace(".", "__")

    @property
    def flag(self) -> str:
        """The command-line flag, in those commands that have one for it."""
        return "--" + self.name.replace(".", "-").replace("_", "-")

    @property
    def expected(self) -> str:
        """What a value must be, as the end of the sentence "expected …"."""
        if self.title is not None:
            return self.title
        match self.kind:
            case inspect.IntType(ge=least, le=most):
                return "a whole number" + _bounds(least, None, most)
            case inspect.FloatType(ge=least, gt=above, le=most):
                return "a number" + _bounds(least, above, most)
            case inspect.BoolType():
                return "true or false"
            case inspect.EnumType(cls=choices):
                return "one of " + ", ".join(str(choice.value) for choice in choices)
            case inspect.VarTupleType(item_type=inspect.EnumType(cls=choices)):
                named = ", ".join(str(choice.value) for choice in choices)
                return f"some of {named} (in the environment: with commas between)"
            case inspect.VarTupleType():
                return "a list (in the environment: with commas between)"
            case inspect.CustomType(cls=cls) if cls is Path:
                return "a path"
            case inspect.CustomType(cls=cls) if cls is Overrides:
                return "a table of librdkafka properties (in the environment: a JSON object)"
            case _:
                return "a text that is not empty"


def _bounds(least: float | None, above: float | None, most: float | None) -> str:
    low = f" of at least {least}" if least is not None else f" above {above}" if above is not None else ""
    if most is None:
        return low
    return f" from {least} to {most}" if least is not None else f"{low} and at most {most}" if low else f" up to {most}"


@cache
def catalogue() -> dict[str, Entry]:
    """Every setting by dotted name, in the order of the tree."""
    return {entry.name: entry for entry in _entries(Settings, "")}


@cache
def sections() -> dict[str, type[msgspec.Struct]]:
    """Every group of settings by dotted name, the tree itself as the empty name."""
    found: dict[str, type[msgspec.Struct]] = {"": Settings}
    for name in catalogue():
        parent, cls = "", Settings
        for part in name.split(".")[:-1]:
            cls = next(field.type for field in msgspec.structs.fields(cls) if field.name == part)
            parent = f"{parent}.{part}".lstrip(".")
            found[parent] = cls
    return found


def shown(value: object) -> Any:
    """A value as a person may see it, in JSON's types: secrets as stars, paths and choices as text."""
    match value:
        case Secret():
            return repr(value)
        case Overrides():
            return value.masked()
        case Path():
            return str(value)
        case tuple():
            return [shown(item) for item in cast("tuple[object, ...]", value)]
        case str():
            return str(value)
        case _:
            return value


def _entries(cls: type[msgspec.Struct], prefix: str) -> Iterator[Entry]:
    for field in msgspec.structs.fields(cls):
        name = prefix + field.name
        annotation = field.type
        if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
            yield from _entries(annotation, name + ".")
            continue
        kind, optional = inspect.type_info(annotation), False
        if isinstance(kind, inspect.UnionType):
            (kind,) = (part for part in kind.types if not isinstance(part, inspect.NoneType))
            optional = True
        if not isinstance(kind, inspect.Metadata):
            raise TypeError(f"the setting {name} has no description")
        # msgspec does not say what its dictionary holds: here, Meta's texts.
        schema = cast("dict[str, str]", kind.extra_json_schema)  # pyright: ignore[reportUnknownMemberType]
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        yield Entry(name, annotation, kind.type, optional, default, schema["description"], schema.get("title"))
