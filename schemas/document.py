"""docs/schemas.md: every public message field by field, from the types and what stands under their fields.

`python -m schemas.document --write` writes it, `--check` fails where it is not current.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from schemas.dead_letter import DeadLetterHeaders
from schemas.generated import keep_current
from schemas.jsonschemas import PUBLIC_TYPES, build, file_name
from schemas.post import PATTERN_REASONS, URI_PATTERN, URI_SCHEMES

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "schemas.md"

PATTERN_WORDS = {
    pattern: f"scheme one of {', '.join(f'`{scheme}`' for scheme in URI_SCHEMES)}"
    if pattern == URI_PATTERN
    else "no control characters"
    for pattern in PATTERN_REASONS
} | {"^-?[0-9]+$": "decimal digits"}
"""What a regular expression asks for. A pattern without words is a KeyError: say here what it means."""

SCHEMA_MEANING = "The message's name and version."

INTRODUCTION = """# Messages, field by field

<!-- Written by `python -m schemas.document --write` from the types in schemas/: change it there. -->

What crosses the public topics is JSON. [contracts.md](contracts.md) says which topic has what, with examples and the
rules that no type can say; the JSON Schemas are the files named below. Fields without a default are **required** of who
writes the message. Unknown fields are ignored, so that messages can grow. Characters are Unicode code points; times are
RFC 3339 with an offset; a message is at most 2 MiB where others write it, and 4 MiB where modstream does.
"""

WRITTEN = {True: "modstream writes it.", False: "Others write it; what breaks a bound is refused."}


def render() -> str:
    """The text of the document."""
    messages = {schema: build(schema) for schema in PUBLIC_TYPES}
    parts: dict[str, dict[str, Any]] = {}
    lines = [INTRODUCTION]
    for schema, built in messages.items():
        name = str(built["$ref"]).rpartition("/")[2]
        lines += _message(schema, built["$defs"][name])
        parts |= {part: definition for part, definition in built["$defs"].items() if part != name}
    lines += ["## Parts", "", "What several of these fields are made of.", ""]
    for part in sorted(parts):
        lines += _part(part, parts[part])
    return "\n".join(lines).rstrip("\n") + "\n"


def _message(schema: str, definition: dict[str, Any]) -> Iterator[str]:
    public = PUBLIC_TYPES[schema]
    file = file_name(schema)
    meanings = {"schema": SCHEMA_MEANING} | _meanings(public.type.__name__)
    if public.type is DeadLetterHeaders:
        meanings = {header: meanings[attribute] for header, attribute in DeadLetterHeaders.names().items()}
    yield f"## `{schema}`"
    yield ""
    yield f"{_about(definition)}{WRITTEN[public.written]} Schema: [`{file}`](../schemas/json/{file})."
    yield ""
    yield from _fields(definition, meanings)


def _about(definition: dict[str, Any]) -> str:
    """What stands under the class, without the name that is the heading."""
    said = re.sub(r"^`[^`]+`[:.]\s*", "", " ".join(definition["description"].split()))
    return f"{said[0].upper()}{said[1:]} " if said else ""


def _part(name: str, definition: dict[str, Any]) -> Iterator[str]:
    about = _about(definition).strip()
    meanings = _meanings(name)
    yield f"### {name}"
    yield ""
    if "properties" in definition:
        yield about
        yield ""
        yield from _fields(definition, meanings)
        return
    yield about.partition(". ")[0].removesuffix(".") + "."  # what follows is for whoever writes code with it
    yield ""
    for member, value in _members(name).items():
        yield f"* `{value}`" + (f": {meanings[member]}" if member in meanings else "")
    yield ""


def _fields(definition: dict[str, Any], meanings: dict[str, str]) -> Iterator[str]:
    yield "| field | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    required = frozenset(definition.get("required", ()))
    for name, field in definition["properties"].items():
        meaning = re.sub(r"^null", "Null", meanings[name].replace("None", "null"))  # as JSON says it
        cells = (f"`{name}`", type_of(field), _default(name, field, required), meaning)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _default(name: str, field: dict[str, Any], required: frozenset[str]) -> str:
    if name in required:
        return "**required**"
    return f"`{json.dumps(field['default'])}`" if "default" in field else "–"


def type_of(field: dict[str, Any]) -> str:
    """A field's type and bounds in words."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        kinds = [type_of(kind) for kind in field["anyOf"]]
        if kinds[:2] == [kinds[0], kinds[0].replace("integer", "number")]:
            kinds.remove(kinds[0])  # an integer is a number
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    return _simple(field)


def _simple(field: dict[str, Any]) -> str:
    kind = str(field.get("type", "anything"))
    if kind == "array" and "prefixItems" in field:
        return f"[{', '.join(type_of(item) for item in field['prefixItems'])}]"
    bounds = [*_size(field), *_range(field)]
    if kind == "array":
        kind = f"list of {type_of(field['items'])}"
    elif kind == "object" and "additionalProperties" in field:
        kind = f"object: name -> {type_of(field['additionalProperties'])}"
    elif field.get("format") == "date-time":
        kind = "time"
    elif field.get("contentEncoding") == "base64":
        kind, bounds = "bytes", ["base64"]
    if "pattern" in field:
        bounds.append(PATTERN_WORDS[field["pattern"]])
    return f"{kind} ({', '.join(bounds)})" if bounds else kind


def _size(field: dict[str, Any]) -> Iterator[str]:
    for what, unit in (("Length", " characters"), ("Items", ""), ("Properties", "")):
        low, high = field.get(f"min{what}", 0), field.get(f"max{what}")
        if high is not None:
            yield f"{low:,} to {high:,}{unit}" if low else f"at most {high:,}{unit}"


def _range(field: dict[str, Any]) -> Iterator[str]:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None:
        yield f"at least {low:,}" if high is None else f"{low:,} to {high:,}"


@cache
def _classes() -> dict[str, ast.ClassDef]:
    """Every class of this package, as it is written."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}


def _meanings(name: str) -> dict[str, str]:
    """What the string under each field or member of a class says."""
    body = _classes()[name].body
    return {
        named: " ".join(below.value.value.split())
        for statement, below in itertools.pairwise(body)
        if (named := _named(statement))
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _members(name: str) -> dict[str, str]:
    """The members of an enumeration, in their order: name -> value."""
    found: dict[str, str] = {}
    for statement in _classes()[name].body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            found[_named(statement)] = str(statement.value.value)
    return found


def _named(statement: ast.stmt) -> str:
    """The field or member that a statement of a class body makes; "" for another statement."""
    targets = [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", [])
    return next((target.id for target in targets if isinstance(target, ast.Name)), "")


def main(arguments: Sequence[str] | None = None, document: Path = DOCUMENT) -> int:
    """The exit status: 0, or 1 when the document is not what the types say."""
    return keep_current("schemas.document", {document: render()}, arguments)


if __name__ == "__main__":
    sys.exit(main())
