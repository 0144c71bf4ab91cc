"""The checker of schemas that only grow: it lets additions pass, and names everything that is taken back."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from schemas.compatibility import violations

BASE: dict[str, Any] = {
    "$ref": "#/$defs/Message",
    "$defs": {
        "Message": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": "^a"},
                "count": {"type": "integer", "minimum": 0, "default": 0},
                "share": {"type": "number", "maximum": 1},
                "action": {"$ref": "#/$defs/Action"},
                "lang": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "labels": {"type": "object", "additionalProperties": {"type": "number"}},
                "span": {"type": "array", "prefixItems": [{"type": "integer"}] * 2, "items": False, "minItems": 2},
                "tags": {"type": "array", "items": {"$ref": "#/$defs/Tag"}, "maxItems": 5},
                "anything": {},
                "at": {"type": "string", "format": "date-time"},
                "schema": {"enum": ["message/1"]},
            },
            "required": ["id"],
        },
        "Action": {"enum": ["approve", "block"]},
        "Tag": {"type": "object", "properties": {"name": {"type": "string"}}, "required": []},
    },
}

Change = Callable[[dict[str, Any], dict[str, Any]], object]
"""Takes the properties of the message and all definitions, and changes them in place."""


def changed(change: Change) -> dict[str, Any]:
    schema = copy.deepcopy(BASE)
    change(schema["$defs"]["Message"]["properties"], schema["$defs"])
    return schema


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda fields, defs: None,
        lambda fields, defs: fields.update(colour={"type": "string", "default": "red"}),
        lambda fields, defs: fields.update(colour={"type": "string"}),
        lambda fields, defs: defs["Tag"]["properties"].update(weight={"type": "number"}),
        lambda fields, defs: defs["Tag"].update(description="said better"),
    ],
)
def test_additions_pass(change: Change, written: bool) -> None:
    assert violations(BASE, changed(change), written=written) == []


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda fields, defs: fields.pop("share"), "$.share: the field was removed"),
        (lambda fields, defs: defs["Tag"]["properties"].clear(), "$.tags[].name: the field was removed"),
        (lambda fields, defs: defs["Message"]["required"].append("share"), "$.share: the field became required"),
        (lambda fields, defs: defs["Tag"]["required"].append("name"), "$.tags[].name: the field became required"),
        (
            lambda fields, defs: (fields.update(new={"type": "string"}), defs["Message"]["required"].append("new")),
            "$.new: the field became required",
        ),
        (lambda fields, defs: fields.update(share={"type": "integer"}), "$.share: type number became integer"),
        (lambda fields, defs: fields.update(count={"type": "string"}), "$.count: type integer became string"),
        (lambda fields, defs: fields.update(lang={"type": "string"}), "$.lang: type null became string"),
        (lambda fields, defs: fields.update(anything={"type": "string"}), "$.anything: type any became string"),
        (lambda fields, defs: defs["Action"]["enum"].remove("block"), "$.action: enum value 'block' was removed"),
        (lambda fields, defs: fields["schema"].update(enum=["message/2"]), "$.schema: enum value 'message/1' was rem"),
        (lambda fields, defs: fields["id"].update(enum=["a"]), "$.id: only ['a'] are allowed now"),
        (lambda fields, defs: fields["id"].update(maxLength=255), "$.id: maxLength was lowered to 255"),
        (lambda fields, defs: fields["id"].update(minLength=2), "$.id: minLength was raised to 2"),
        (lambda fields, defs: fields["count"].update(maximum=9), "$.count: maximum was lowered to 9"),
        (lambda fields, defs: fields["share"].update(minimum=0), "$.share: minimum was raised to 0"),
        (lambda fields, defs: fields["tags"].update(maxItems=4), "$.tags: maxItems was lowered to 4"),
        (lambda fields, defs: fields["id"].update(pattern="^b"), "$.id: pattern changed from '^a' to '^b'"),
        (lambda fields, defs: fields["at"].update(format="date"), "$.at: format changed from 'date-time' to 'date'"),
        (lambda fields, defs: fields["count"].update(default=1), "$.count: the default changed from 0 to 1"),
        (
            lambda fields, defs: fields["labels"].update(additionalProperties={"type": "integer"}),
            "$.labels.*: type number became integer",
        ),
        (
            lambda fields, defs: defs["Tag"].update(additionalProperties={"type": "integer"}),
            "$.tags[].*: type any became integer",
        ),
        (lambda fields, defs: defs["Tag"].update(additionalProperties=False), "$.tags[].*: the place was removed"),
        (lambda fields, defs: fields["tags"].update(items={"type": "string"}), "$.tags[]: type object became string"),
        (lambda fields, defs: fields["tags"].update(items=False), "$.tags[]: the place was removed"),
        (lambda fields, defs: fields["span"]["prefixItems"].pop(), "$.span[1]: the place was removed"),
        (
            lambda fields, defs: fields["span"].update(prefixItems=[{"type": "string"}] * 2),
            "$.span[0]: type integer became string",
        ),
        (lambda fields, defs: defs["Tag"].update(anyOf=[{"required": ["name"]}]), "$.tags[]: anyOf changed"),
        (lambda fields, defs: defs["Tag"].update(minProperties=1), "$.tags[]: minProperties was raised to 1"),
        (lambda fields, defs: defs["Tag"].update(propertyNames={"maxLength": 3}), "$.tags[]: propertyNames changed"),
    ],
)
def test_what_is_taken_back_is_named(change: Change, line: str, written: bool) -> None:
    found = violations(BASE, changed(change), written=written)
    assert any(one.startswith(line) for one in found), found


@pytest.mark.parametrize(
    "change",
    [
        lambda fields, defs: fields.update(share={"anyOf": [{"type": "number"}, {"type": "null"}]}),
        lambda fields, defs: fields.update(count={"type": "number", "default": 0}),
        lambda fields, defs: defs["Action"]["enum"].append("review"),
        lambda fields, defs: defs["Message"]["required"].remove("id"),
        lambda fields, defs: fields["id"].pop("maxLength"),
        lambda fields, defs: fields["id"].pop("pattern"),
        lambda fields, defs: fields["id"].update(minLength=0),
        lambda fields, defs: fields.update(action={"type": "string"}),
    ],
)
def test_what_we_read_may_widen_and_what_we_write_may_not(change: Change) -> None:
    assert violations(BASE, changed(change), written=False) == []
    assert violations(BASE, changed(change), written=True)
