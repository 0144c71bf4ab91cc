"""`modstream config`: the settings in force, each with where it came from."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any, cast

from commands.arguments import TOPICS, WORKER, add_json, add_settings, load
from commands.terminal import put_json, put_table
from streams.settings import Loaded, catalogue, shown


def configure(parser: ArgumentParser) -> None:
    add_json(parser, "print one JSON object: setting -> value and source")
    add_settings(parser, (*WORKER, *TOPICS))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    loaded = load(args)
    if args.json:
        put_json({name: {"value": value, "source": source} for name, value, source in effective(loaded)})
    else:
        rows = [(name, _cell(value), source) for name, value, source in effective(loaded)]
        put_table(("SETTING", "VALUE", "SOURCE"), rows)
    return 0


def effective(loaded: Loaded) -> list[tuple[str, Any, str]]:
    """(dotted name, value, source) of every setting; secrets are stars."""
    found: list[tuple[str, Any, str]] = []
    for name in catalogue():
        value: Any = loaded.settings
        for part in name.split("."):
            value = getattr(value, part)
        found.append((name, shown(value), str(loaded.sources[name])))
    return found


def _cell(value: Any) -> str:
    if value is None or value == {} or value == []:
        return "–"
    return ", ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)
