"""Whether a JSON Schema only grew since an older version of it.

Covers what our schemas are made of: objects, arrays, tuples, numbers, strings, enums, references and `anyOf`. A keyword
it does not know must be equal in both, so that it can only err on the safe side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

_UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_WORDS_ONLY = ("title", "description", "examples", "$id", "$schema", "$defs")
_COMPARED = (
    *_UPPER_LIMITS,
    *_LOWER_LIMITS,
    *_WORDS_ONLY,
    *(
        "default",
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "items",
        "prefixItems",
        "additionalProperties",
        "anyOf",
    ),
)


def violations(old: Schema, new: Schema, *, written: bool) -> list[str]:
    """What `new` takes back from `old`, one sentence each; empty where it only grew.

    Whatever was valid must stay valid: messages of older senders, and older messages on our topics. For types that are
    `written` by us the reverse holds too, for their readers know the old schema: what we write now must still be valid
    for them. New optional fields are always fine, as unknown fields are ignored.
    """
    lines = list(_narrowed(_Pair(old, new, as_reader=False), old, new, "$"))
    if written:
        reverse = _Pair(new, old, as_reader=True)
        lines += [f"{line} (seen by a reader of the old schema)" for line in _narrowed(reverse, new, old, "$")]
    return lines


class _Pair(NamedTuple):
    """The two documents being compared, and whether as a reader of the older one does: `before` is then the newer."""

    before: Schema
    after: Schema
    as_reader: bool


def _resolve(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        rest = {key: value for key, value in schema.items() if key not in ("$ref", *_WORDS_ONLY)}
        schema = {**document["$defs"][name], **rest}
    return schema


def _alternatives(document: Schema, schema: Schema) -> list[Schema]:
    """A union as a list of its members; anything else as a list of one. An `anyOf` beside a type is no union."""
    if "anyOf" in schema and "type" not in schema:
        return [_resolve(document, member) for member in schema["anyOf"]]
    return [schema]


def _narrowed(pair: _Pair, before: Schema, after: Schema, path: str) -> Iterator[str]:
    """What `before` accepts and `after` does not."""
    before, after = _resolve(pair.before, before), _resolve(pair.after, after)
    choices = _alternatives(pair.after, after)
    for member in _alternatives(pair.before, before):
        attempts = [list(_member_narrowed(pair, member, choice, path)) for choice in choices if _fits(member, choice)]
        if attempts:
            yield from min(attempts, key=len)
        else:
            yield f"{path}: type {_kind(member)} became {' or '.join(sorted(map(_kind, choices)))}"


def _kind(schema: Schema) -> str:
    return str(schema.get("type", "enum" if "enum" in schema or "const" in schema else "any"))


def _fits(before: Schema, after: Schema) -> bool:
    """Whether the values of one type are of the other type too, limits apart."""
    kinds = (_kind(before), _kind(after))
    return kinds[0] == kinds[1] or kinds[1] == "any" or kinds in (("integer", "number"), ("enum", "string"))


def _member_narrowed(pair: _Pair, before: Schema, after: Schema, path: str) -> Iterator[str]:
    yield from _values_narrowed(before, after, path)
    yield from _object_narrowed(pair, before, after, path)
    yield from _array_narrowed(pair, before, after, path)
    for keyword in sorted((before.keys() | after.keys()) - set(_COMPARED) - {"$ref"}):
        if keyword in after and before.get(keyword) != after[keyword]:
            yield f"{path}: {keyword} changed from {before.get(keyword)!r} to {after[keyword]!r}"
    if not pair.as_reader and "default" in before and "default" in after and before["default"] != after["default"]:
        yield f"{path}: the default changed from {before['default']!r} to {after['default']!r}"
    # Beside a type, `anyOf` is a rule and no union.
    if "anyOf" in after and "type" in after and before.get("anyOf") != after["anyOf"]:
        yield f"{path}: anyOf changed"


def _values_narrowed(before: Schema, after: Schema, path: str) -> Iterator[str]:
    allowed = _enumerated(after)
    if allowed is not None:
        known = _enumerated(before)
        if known is None:
            yield f"{path}: only {allowed} are allowed now"
        else:
            for value in known:
                if value not in allowed:
                    yield f"{path}: enum value {value!r} was removed"
    for keyword in _UPPER_LIMITS:
        if keyword in after and (keyword not in before or after[keyword] < before[keyword]):
            yield f"{path}: {keyword} was lowered to {after[keyword]}"
    for keyword in _LOWER_LIMITS:
        if keyword in after and (keyword not in before or after[keyword] > before[keyword]):
            yield f"{path}: {keyword} was raised to {after[keyword]}"


def _enumerated(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _object_narrowed(pair: _Pair, before: Schema, after: Schema, path: str) -> Iterator[str]:
    fields, fields_now = before.get("properties", {}), after.get("properties", {})
    for name, schema in fields.items():
        if name in fields_now:
            yield from _narrowed(pair, schema, fields_now[name], f"{path}.{name}")
        elif not pair.as_reader:
            yield f"{path}.{name}: the field was removed"
    for name in after.get("required", ()):
        if name not in before.get("required", ()):
            yield f"{path}.{name}: the field became required"
    if before.get("type") == "object":
        extra, extra_now = before.get("additionalProperties", True), after.get("additionalProperties", True)
        yield from _item_narrowed(pair, extra, extra_now, f"{path}.*")


def _array_narrowed(pair: _Pair, before: Schema, after: Schema, path: str) -> Iterator[str]:
    places, places_now = before.get("prefixItems", ()), after.get("prefixItems", ())
    items, items_now = before.get("items", True), after.get("items", True)
    for index in range(max(len(places), len(places_now))):
        place = places[index] if index < len(places) else items
        place_now = places_now[index] if index < len(places_now) else items_now
        yield from _item_narrowed(pair, place, place_now, f"{path}[{index}]")
    if before.get("type") == "array":
        yield from _item_narrowed(pair, items, items_now, f"{path}[]")


def _item_narrowed(pair: _Pair, before: Schema | bool, after: Schema | bool, path: str) -> Iterator[str]:
    """For schemas that may also be True (anything) or False (nothing)."""
    if isinstance(after, dict):
        if before is not False:
            yield from _narrowed(pair, before if isinstance(before, dict) else {}, after, path)
    elif after is False and before is not False:
        yield f"{path}: the place was removed"
