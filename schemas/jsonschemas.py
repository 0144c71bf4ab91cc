"""JSON Schemas (2020-12) of the public messages: built from the types, kept in `schemas/json/`.

`python -m schemas.jsonschemas --write` writes them, `--check` fails where a file is not current, and `--freeze DIR`
records them as what later versions may only add to (it refuses where they already broke that).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from schemas.compatibility import violations
from schemas.dead_letter import DeadLetterHeaders
from schemas.decision import Confidence, Decision, Flag
from schemas.feedback import Feedback
from schemas.insight import Insight
from schemas.post import Post

FOLDER = Path(__file__).resolve().parent / "json"

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class PublicType(NamedTuple):
    """A message that other systems read or write."""

    type: type[msgspec.Struct]
    written: bool
    """We write it, others read it: then it may not widen either (see `compatibility`)."""


PUBLIC_TYPES = {
    "post/1": PublicType(Post, written=False),
    "feedback/1": PublicType(Feedback, written=False),
    "decision/1": PublicType(Decision, written=True),
    "confidence/1": PublicType(Confidence, written=True),
    "flag/1": PublicType(Flag, written=True),
    "insight/1": PublicType(Insight, written=True),
    "dead-letter-headers/1": PublicType(DeadLetterHeaders, written=True),
}


def file_name(schema: str) -> str:
    """`post/1` -> `post-1.schema.json`."""
    return f"{schema.replace('/', '-')}.schema.json"


def build(schema: str) -> dict[str, Any]:
    """The JSON Schema of a public type, with the rules that types alone cannot say."""
    public = PUBLIC_TYPES[schema]
    (reference,), definitions = msgspec.json.schema_components([public.type])
    if public.type is Post:
        definitions["Post"]["anyOf"] = [
            {"properties": {"text": {"type": "string", "minLength": 1}}, "required": ["text"]},
            {"properties": {"media": {"minItems": 1}}, "required": ["media"]},
        ]
        definitions["Media"]["oneOf"] = [
            {"properties": {name: {"type": "string", "minLength": 1}}, "required": [name]} for name in ("uri", "data")
        ]
    if public.type is DeadLetterHeaders:
        definitions["DeadLetterHeaders"] = _as_headers(definitions["DeadLetterHeaders"])
    built = {"$schema": DIALECT, "$id": f"urn:modstream:{schema}", **reference, "$defs": definitions}
    return json.loads(json.dumps(built))  # plain JSON: msgspec leaves the tuples of defaults as they are


def _as_headers(structure: dict[str, Any]) -> dict[str, Any]:
    """Headers are text by their Kafka names: an integer is its decimal digits, and None is no header."""
    attributes: dict[str, Any] = structure["properties"]
    integers = {name for name, value in attributes.items() if {"type": "integer"} in value["anyOf"]}
    return {
        **structure,
        "properties": {
            header: {"type": "string", "pattern": "^-?[0-9]+$"} if attribute in integers else {"type": "string"}
            for header, attribute in DeadLetterHeaders.names().items()
        },
    }


def render(schema: str) -> str:
    """The text of a schema's file."""
    return json.dumps(build(schema), indent=2, ensure_ascii=False) + "\n"


def stale(folder: Path = FOLDER) -> list[str]:
    """The names of files in `folder` that are missing, are not current, or belong to no public type."""
    expected = {file_name(schema): render(schema) for schema in PUBLIC_TYPES}
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.schema.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> None:
    """Make `folder` hold exactly the current schemas."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.schema.json"):
        path.unlink()
    for schema in PUBLIC_TYPES:
        (folder / file_name(schema)).write_text(render(schema), encoding="utf-8")


def broken_promises(frozen: Path) -> list[str]:
    """What the current schemas take back from those in `frozen`; a type that is not there yet promises nothing."""
    broken: list[str] = []
    for path in sorted(frozen.glob("*.schema.json")):
        old = json.loads(path.read_text(encoding="utf-8"))
        schema = str(old["$id"]).removeprefix("urn:modstream:")
        public = PUBLIC_TYPES.get(schema)
        if public is None:
            broken.append(f"{schema}: the type is gone")
        else:
            broken += [f"{schema}: {line}" for line in violations(old, build(schema), written=public.written)]
    return broken


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.jsonschemas", description="JSON Schemas of the messages")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help=f"write them to {FOLDER.parent.name}/{FOLDER.name}/")
    action.add_argument("--check", action="store_true", help="fail where a file is not current")
    action.add_argument(
        "--freeze", type=Path, metavar="DIR", help="record them in DIR, unless they took something back"
    )
    chosen = parser.parse_args(arguments)
    if chosen.write:
        write()
    elif chosen.check:
        if names := stale():
            sys.stderr.write(f"not current: {', '.join(names)}; run `python -m schemas.jsonschemas --write`\n")
            return 1
    else:
        if lines := broken_promises(chosen.freeze):
            sys.stderr.write("\n".join(["schemas may only grow; a breaking change is a new version:", *lines]) + "\n")
            return 1
        write(chosen.freeze)
    return 0


if __name__ == "__main__":
    sys.exit(main())
