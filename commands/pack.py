"""`modstream pack`: check a model pack, and build the engines of one for this machine's GPU."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, cast

import msgspec

from commands.arguments import add_json, count
from commands.failures import CommandFailed
from commands.terminal import put_columns, put_json, say
from processors.packs import load_pack
from processors.packs.check import Level, check_pack

EPILOG = """
Verifies the manifest and the SHA-256 of every file, runs the graph, and checks that no row moves with its neighbours.
Fails on errors; warnings are shown. Engines in DIR/engines must fit the pack's graphs and, where there is one, the GPU.
"""

BUILD_EPILOG = """
Needs a GPU, TensorRT 10 or 11 and the extra `train`. Engines are of this GPU, this TensorRT and these graphs alone, so
that they are built where they run; workers refuse any other. Not run on hardware yet.
"""


def configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help="verify a pack and run it", description="Verify a pack and run it.", epilog=EPILOG
    )
    check.add_argument("folder", type=Path, metavar="DIR", help="the pack's folder, which holds manifest.json")
    add_json(check, "print one JSON object: pack, labels, languages and problems")
    check.set_defaults(run=run_check)
    build = actions.add_parser(
        "build",
        help="build a pack's TensorRT engines",
        description="Build TensorRT engines of a pack's graphs, for the GPU of this machine.",
        epilog=BUILD_EPILOG,
    )
    build.add_argument("folder", type=Path, metavar="DIR", help="the pack's folder")
    build.add_argument("--engines", action="store_true", required=True, help="build the engines")
    build.add_argument("--out", type=Path, metavar="DIR", help="folder for the engines (default: the pack's engines/)")
    build.add_argument("--precision", choices=("fp16", "fp32"), default="fp16", help="what is computed in")
    build.add_argument(
        "--detection-side", type=count, metavar="PIXELS", help="as the workers' ocr.detection_side (default: its own)"
    )
    build.set_defaults(run=run_build)


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


def run_build(args: Namespace) -> int:
    try:
        module = importlib.import_module("models_export.tensorrt.build")
        wanted = module.Wanted(precision=args.precision, detection_side=args.detection_side)
        cards = module.build_engines(args.folder, wanted, out=args.out, report=say)
    except ModuleNotFoundError as error:
        raise CommandFailed(f"{error.name} is not installed; expected the extra `train` (modstream[train])") from error
    except ValueError as error:  # a graph that cannot be made ready
        raise CommandFailed(str(error)) from error
    say(f"{len(cards)} engines in {args.out or args.folder / 'engines'}; `modstream pack check` looks at them")
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
        "besides_labels": list(pack.details),
        "not_assessed": list(pack.not_assessed),
        "languages": {name: card.status for name, card in manifest.languages.items()},
        "thresholds": pack.thresholds,
    }


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {entry}" for key, entry in cast("dict[str, object]", value).items())
    return ", ".join(cast("list[str]", value)) if isinstance(value, list) else str(value)
