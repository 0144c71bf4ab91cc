"""`modstream pack`: check a model pack."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, cast

import msgspec

from commands.arguments import add_json
from commands.console import put_columns, put_json, say
from processors.packs import load_pack
from processors.packs.check import Level, check_pack

EPILOG = """
Verifies the manifest and the SHA-256 of every file, runs the graph, and checks that no row moves with its neighbours.
Fails on errors; warnings are shown.
"""


def configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help="verify a pack and run it", description="Verify a pack and run it.", epilog=EPILOG
    )
    check.add_argument("folder", type=Path, metavar="DIR", help="the pack's folder, which holds manifest.json")
    add_json(check, "print one JSON object: pack, labels, languages and problems")
    check.set_defaults(run=run_check)


def run_check(args: Namespace) -> int:
    problems = check_pack(args.folder)
    for problem in problems:
        say(str(problem))
    broken = any(problem.level is Level.ERROR for problem in problems)
    if args.json:
        put_json({**({} if broken else _facts(args.folder)), "problems": msgspec.to_builtins(problems)})
    elif not broken:
        put_columns([(name.replace("_", " "), _cell(value)) for name, value in _facts(args.folder).items()])
    if broken:
        say(f"modstream: the pack in {args.folder} must not be used: mend what is named above")
        return 1
    return 0


def _facts(folder: Path) -> dict[str, object]:
    pack = load_pack(folder)
    manifest = pack.manifest
    return {
        "pack": pack.version,
        "version": manifest.version,
        "licence": manifest.licence,
        "labels": list(pack.labels_of("text")),
        "labels_of_pictures": list(pack.labels_of("image")),
        "not_assessed": list(pack.not_assessed),
        "languages": {name: card.status for name, card in manifest.languages.items()},
        "thresholds": pack.thresholds,
    }


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {entry}" for key, entry in cast("dict[str, object]", value).items())
    return ", ".join(cast("list[str]", value)) if isinstance(value, list) else str(value)
