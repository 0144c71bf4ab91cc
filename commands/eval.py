"""`modstream eval`: labelled suites through the chain's own stages, and two runs of one side by side."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commands.arguments import add_json, add_settings, count
from commands.failures import CommandFailed
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import SUITES as JUDGEMENT

EPILOG = """
All write report.json, predictions.jsonl and report.html to the folder of --out, and a table to stderr. They fail only
where nothing could be evaluated: how good the figures are is for the reader to judge.
"""

READING = {
    "ocr": "pictures with known text, and pictures without any",
    "asr": "sound with and without speech, beside faster-whisper alone",
}
"""Suites of one stage. Each is the module `commands.eval_<name>`, which is imported only when it is asked for."""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    suites = parser.add_subparsers(title="suites", metavar="SUITE", required=True)
    for name, what in READING.items():
        suite = _added(suites, name, what)
        _of_data(suite)
        add_settings(suite, ("pack",))
        suite.set_defaults(run=_run, module=f"commands.eval_{name}")
    for name, what in JUDGEMENT.items():
        suite = _added(suites, name, what)
        _of_data(suite)
        suite.add_argument("--texts", action="store_true", help="texts in predictions.jsonl too; many are hateful")
        suite.add_argument("--no-baselines", action="store_true", help="leave out what simpler ways would have said")
        add_settings(suite, ("pack", "policy"))
        suite.set_defaults(run=_run, module="commands.eval_judgement", suite=name)
    compare = _added(suites, "compare", "two runs of a suite of judgement side by side, from their predictions alone")
    for name, which in (("a", "one run: its folder, or its predictions.jsonl"), ("b", "the other run")):
        compare.add_argument(name, type=Path, metavar=name.upper(), help=which)
    compare.add_argument("--out", type=Path, metavar="DIR", help="folder for compare.json and compare.html; it is made")
    add_json(compare, "print the comparison as JSON, on one line")
    compare.set_defaults(run=_run, module="commands.eval_compare")


def _added(suites: Any, name: str, what: str) -> ArgumentParser:
    return suites.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _of_data(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with the labelled data")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report; it is made")
    parser.add_argument("--limit", type=count, metavar="N", help="only N items, evenly spread over the suite")
    add_json(parser, "print the report as JSON, on one line")


def _run(args: Namespace) -> int:
    evaluate: Callable[[Namespace], int] = importlib.import_module(args.module).evaluate
    try:
        return evaluate(args)
    except SuiteError as error:
        raise CommandFailed(str(error)) from error
