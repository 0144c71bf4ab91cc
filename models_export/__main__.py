"""`python -m models_export train | pack | script | card`: make the experts, the pack that serves them, and its card."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models_export.packing.card import CARD_FILE, card_of
from models_export.packing.parts import SHIPPED
from processors.packs import PackError

EXIT_FAILED = 1
NO_PICTURES = "none"
NEEDS = "needs the `train` extra: pip install 'modstream[train]'"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m models_export", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="fine-tune the text expert; goes on where it was stopped")
    train.add_argument("--data", type=Path, required=True, help="folder with text_pool.parquet and permissive_sets.tsv")
    train.add_argument("--backbone", required=True, help="folder of the recipe's backbone, or its name on a hub")
    train.add_argument("--out", type=Path, required=True, help="training folder; a later call with it goes on")
    train.add_argument("--recipe", type=Path, metavar="FILE", help="YAML (default: the embedded pack's)")
    train.add_argument("--seed", type=int, help="of everything that is drawn at random (default: the recipe's)")
    train.add_argument(
        "--research",
        action="store_true",
        help="train on sets under every licence: the pack may not be used commercially",
    )

    pack = commands.add_parser("pack", help="export, calibrate and measure what a training folder has reached")
    pack.add_argument("--run", type=Path, required=True, help="training folder")
    pack.add_argument("--data", type=Path, required=True, help="folder with text_pool.parquet and permissive_sets.tsv")
    pack.add_argument(
        "--out", type=Path, required=True, help="the pack's folder; replaced once the new pack is verified"
    )
    pack.add_argument("--name", default="embedded", help="name in the manifest (default: embedded)")
    pack.add_argument("--version", default="1", help="version in the manifest (default: 1)")
    pack.add_argument(
        "--pictures-from",
        default=str(SHIPPED),
        metavar="DIR",
        help=f"pack whose picture parts are taken over; `{NO_PICTURES}` leaves them out (default: the shipped pack)",
    )
    pack.add_argument("--limit", type=int, help="dev rows of each language and set, for a quick pack (default: all)")
    pack.add_argument("--no-suites", action="store_true", help="leave HateCheck out, for a quick pack")

    script = commands.add_parser("script", help="train, calibrate and export the expert that tells scripts apart")
    script.add_argument("--data", type=Path, required=True, help="folder with text_pool.parquet, for the words")
    script.add_argument("--fonts", type=Path, nargs="+", required=True, help="folders with fonts of every script")
    script.add_argument("--photos", type=Path, nargs="+", required=True, help="folders with pictures for backgrounds")
    script.add_argument("--out", type=Path, required=True, help="folder for script.onnx and its part of the manifest")
    script.add_argument("--steps", type=int, help="optimiser steps in all")
    script.add_argument("--seed", type=int, help="of everything that is drawn at random")

    card = commands.add_parser("card", help=f"write {CARD_FILE} of a pack anew from its manifest")
    card.add_argument("--pack", type=Path, default=SHIPPED, help="the pack's folder (default: the shipped pack)")
    card.add_argument("--check", action="store_true", help="write nothing; fail if the card is not current")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        if given.command == "train":
            _train(given)
        elif given.command == "script":
            _script(given)
        elif given.command == "pack":
            _pack(given)
        else:
            _card(given.pack, check=given.check)
    except ModuleNotFoundError as error:
        print(f"models_export: {error.name} is not installed; it {NEEDS}", file=sys.stderr)
    except (OSError, ValueError, RuntimeError, PackError) as error:
        print(f"models_export: {error}", file=sys.stderr)
    else:
        return 0
    return EXIT_FAILED


def _train(given: argparse.Namespace) -> None:
    from msgspec.structs import replace

    from models_export.text_expert.backbone import find_backbone
    from models_export.text_expert.recipe import EMBEDDED, read_recipe
    from models_export.text_expert.train import train

    recipe = read_recipe(given.recipe or EMBEDDED)
    chosen: dict[str, Any] = {"permissive_only": False} if given.research else {}
    if given.seed is not None:
        chosen["seed"] = given.seed
    train(given.data, find_backbone(given.backbone, recipe.backbone), given.out, replace(recipe, **chosen))


def _script(given: argparse.Namespace) -> None:
    from models_export.script.build import make
    from models_export.script.train import Recipe

    chosen = {name: value for name in ("steps", "seed") if (value := getattr(given, name)) is not None}
    print(make(given.data, given.fonts, given.photos, given.out, Recipe(**chosen)))


def _pack(given: argparse.Namespace) -> None:
    from models_export.evaluation.pack_figures import summary
    from models_export.packing.build import pack

    figures = pack(
        given.run,
        given.data,
        given.out,
        name=given.name,
        version=given.version,
        limit=given.limit,
        suites=not given.no_suites,
        pictures_from=None if given.pictures_from == NO_PICTURES else Path(given.pictures_from),
    )
    print(summary(figures))
    print(f"{given.out}: verified", file=sys.stderr)


def _card(folder: Path, *, check: bool) -> None:
    path = folder / CARD_FILE
    expected = card_of(folder)
    if not check:
        path.write_text(expected, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != expected:
        raise ValueError(f"{path} is not current: run `python -m models_export card --pack {folder}`")


if __name__ == "__main__":
    sys.exit(main())
