"""`python -m models_export train | pack`: make the text expert, and the pack that serves it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

EXIT_FAILED = 1
NEEDS = "needs the `train` extra: pip install 'modstream[train]'"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m models_export", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="fine-tune the text expert; goes on where it was stopped")
    train.add_argument("--data", type=Path, required=True, help="folder with text_pool.parquet and permissive_sets.tsv")
    train.add_argument("--backbone", required=True, help="folder of multilingual-e5-small, or its name on a model hub")
    train.add_argument("--out", type=Path, required=True, help="training folder; a later call with it goes on")
    train.add_argument("--steps", type=int, help="optimiser steps in all")
    train.add_argument("--seed", type=int, help="of everything that is drawn at random")
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
    pack.add_argument("--limit", type=int, help="dev rows of each language and set, for a quick pack (default: all)")
    pack.add_argument("--no-suites", action="store_true", help="leave HateCheck out, for a quick pack")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        if given.command == "train":
            _train(given)
        else:
            _pack(given)
    except ModuleNotFoundError as error:
        print(f"models_export: {error.name} is not installed; it {NEEDS}", file=sys.stderr)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"models_export: {error}", file=sys.stderr)
    else:
        return 0
    return EXIT_FAILED


def _train(given: argparse.Namespace) -> None:
    from models_export.backbone import find_backbone
    from models_export.train import Recipe, train

    chosen = {name: value for name in ("steps", "seed") if (value := getattr(given, name)) is not None}
    train(given.data, find_backbone(given.backbone), given.out, Recipe(**chosen, permissive_only=not given.research))


def _pack(given: argparse.Namespace) -> None:
    from models_export.build import pack
    from models_export.evaluate import summary

    figures = pack(
        given.run,
        given.data,
        given.out,
        name=given.name,
        version=given.version,
        limit=given.limit,
        suites=not given.no_suites,
    )
    print(summary(figures))
    print(f"{given.out}: verified", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
