"""`python -m models_export.fusion features|train|measure|export`: the fusion of a pack, from memes to its part.

features  what the pack's experts have of each meme (npz)
train     a run by a recipe: configuration with the features' hash, curves, weights
measure   each modality alone, the fusion, and the fusion without each; with intervals (JSON)
export    the run as ONNX, its parity checked
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from models_export.fusion import features as stored
from models_export.fusion.recipe import EMBEDDED, read_recipe
from processors.chain import ChainOptions, MediaParts, Models, build_chain
from processors.encode import EncodeProcessor
from processors.engines import EngineError
from processors.fetch import FetchOptions
from processors.media.known import KnownLists
from processors.media.pictures import PictureReader
from processors.media.store import MediaStore
from processors.packs import PackError, load_pack
from processors.policy import parse_policy

LENIENT = b'schema: policy/1\nname: none\nversion: "1"\nlayers: {default: {}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.fusion", description=__doc__)
    commands = parser.add_subparsers(required=True)
    extract = commands.add_parser("features", help="what the pack's experts have of each meme")
    extract.add_argument("--pack", type=Path, required=True)
    extract.add_argument("--memes", type=Path, required=True, help=f"folder with {stored.MEMES} and its pictures")
    extract.add_argument("--out", type=Path, required=True, help="npz")
    extract.set_defaults(run=_features)
    for name, run, what in (("train", _train, "a run"), ("measure", _measure, "figures")):
        command = commands.add_parser(name, help=f"{what} by a recipe")
        command.add_argument("--features", type=Path, required=True, help="npz")
        command.add_argument("--recipe", type=Path, default=EMBEDDED)
        command.add_argument("--out", type=Path, required=True, help="folder" if name == "train" else "JSON")
        command.set_defaults(run=run)
    export = commands.add_parser("export", help="a run as ONNX")
    export.add_argument("--run", dest="folder", type=Path, required=True, help="folder of a run")
    export.add_argument("--features", type=Path, required=True, help="npz: rows on which graph and network must agree")
    export.add_argument("--out", type=Path, required=True, help="ONNX")
    export.set_defaults(run=_export)
    given = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = given.run
    try:
        run(given)
    except (PackError, EngineError, OSError, ValueError) as error:
        print(f"models_export: {error}", file=sys.stderr)
        return 1
    return 0


def _features(given: argparse.Namespace) -> None:
    pack = load_pack(given.pack)
    memes = stored.read_memes(given.memes)
    with tempfile.TemporaryDirectory() as folder:
        media = MediaParts(MediaStore.open(folder), KnownLists([]))
        options = ChainOptions(code="fusion", fetch=FetchOptions(file_roots=(given.memes.resolve(),)))
        models = Models(pack, parse_policy(LENIENT, "none", pack.thresholds))
        before = build_chain(options, models, media, stages=stored.ROUTE[:-1])
        encode = EncodeProcessor.of(pack, PictureReader(media.store), pooled=True)
        found = stored.extract(pack, (*before, encode), memes, _told(len(memes)))
    stored.save(found, given.out)
    print(f"{len(found.ids)} of {len(memes)} memes, features {found.hash[:12]}")


def _train(given: argparse.Namespace) -> None:
    from models_export.fusion.train import CURVES, train

    train(read_recipe(given.recipe), stored.load(given.features), given.out)
    print((given.out / CURVES).read_text(encoding="utf-8").splitlines()[-1])


def _measure(given: argparse.Namespace) -> None:
    from models_export.fusion.measure import measure

    figures = measure(read_recipe(given.recipe), stored.load(given.features), lambda name: print(name, file=sys.stderr))
    given.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    gain = figures["judged_by"]["fusion"]["macro_f1_gain"]
    print(
        f"gain in macro-F1 over {figures['best_single']}: [{gain['low']:+.3f}, {gain['high']:+.3f}]:"
        f" {'worth' if figures['helps'] else 'not worth'} shipping"
    )


def _export(given: argparse.Namespace) -> None:
    from models_export.fusion.export import check_parity, export
    from models_export.fusion.train import load_run, streams_of

    recipe, _, ensemble = load_run(given.folder)
    features = stored.load(given.features)
    sizes = {name: features.tokens[name].shape[-1] for name in streams_of(recipe, features)}
    export(ensemble, sizes, given.out)
    move = check_parity(ensemble, features, given.out)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes, logits within {move:.2g} of the network's")


def _told(total: int) -> Callable[[int], None]:
    return lambda done: print(f"{min(done, total)} of {total} memes", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
