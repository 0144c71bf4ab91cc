"""`modstream eval`: a labelled suite through the chain's own stages, with metrics and a report."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from commands.arguments import add_json, add_settings, count
from commands.failures import CommandFailed
from models_export.evaluation.labelled_media import SuiteError

EPILOG = """
Suites: ocr (pictures with known text in DIR/media/ocr_samples and DIR/memes/religious, and photographs without any in
DIR/media/photos_permissive); asr (sound with and without speech in DIR/media/speech_clips and DIR/media/video_clips,
and sounds that the suite makes itself, each heard three times: as the settings say, with every chunk checked for
phantoms, and by faster-whisper alone). Writes report.json, predictions.jsonl and report.html to the folder of --out,
and a table to stderr. Fails only where nothing could be evaluated: how good the figures are is for the reader to judge.
"""

SUITES = ("ocr", "asr")
"""Each is the module `commands.eval_<name>`, which is imported only when it is asked for."""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("suite", choices=SUITES, metavar="SUITE", help=f"which suite: {', '.join(SUITES)}")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with the labelled data")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report; it is made")
    parser.add_argument("--limit", type=count, metavar="N", help="only N items, evenly spread over the suite")
    add_json(parser, "print the report as JSON, on one line")
    add_settings(parser, ("pack",))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    evaluate: Callable[[Namespace], int] = importlib.import_module(f"commands.eval_{args.suite}").evaluate
    try:
        return evaluate(args)
    except SuiteError as error:
        raise CommandFailed(str(error)) from error
