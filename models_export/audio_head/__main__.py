"""`python -m models_export.audio_head`: fit a head on the recogniser's features, and say what it adds to the words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from processors.engines import EngineError
from processors.packs import PackError

EXIT_FAILED = 1
NEEDS = "needs the `train` extra: pip install 'modstream[train]'"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m models_export.audio_head", description=__doc__)
    top.add_argument(
        "--pack", type=Path, required=True, help="folder of the pack whose recogniser and text expert judge"
    )
    top.add_argument(
        "--speech", type=Path, required=True, help="folder with manifest.jsonl and the sounds that it names"
    )
    top.add_argument("--out", type=Path, required=True, help="folder for audio.onnx, audio.json and what was heard")
    top.add_argument("--threads", type=int, help="of each engine (default: all cores of this process)")
    top.add_argument("--epochs", type=int, help="at most; fitting ends where it stops to help")
    top.add_argument("--seed", type=int, help="of everything that is drawn at random")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        from models_export.audio_head.build import make
        from models_export.audio_head.train import Recipe

        chosen = {name: value for name in ("epochs", "seed") if (value := getattr(given, name)) is not None}
        print(make(given.pack, given.speech, given.out, Recipe(**chosen), given.threads))
    except ModuleNotFoundError as error:
        print(f"models_export: {error.name} is not installed; it {NEEDS}", file=sys.stderr)
    except (OSError, ValueError, EngineError, PackError) as error:
        print(f"models_export: {error}", file=sys.stderr)
    else:
        return 0
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
