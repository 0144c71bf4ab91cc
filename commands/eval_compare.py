"""`modstream eval compare`: two runs of a suite side by side."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import msgspec

from commands.eval_suite import put_whole
from commands.failures import CommandFailed
from commands.terminal import columns, counted, put_json, say
from models_export.evaluation.judgement.compare import Comparison, Difference, compared
from models_export.evaluation.judgement.compare_page import compare_page
from models_export.evaluation.judgement.prediction import Prediction, read_predictions
from models_export.evaluation.suites import SUITES, suite_named


def evaluate(args: Namespace) -> int:
    a, b = _read(args.a), _read(args.b)
    name = a[0].suite
    if name not in SUITES:
        raise CommandFailed(f"{args.a}: of the suite {name!r}; expected one of {', '.join(SUITES)}")
    found = compared(suite_named(name), a, b)
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        text = msgspec.json.format(msgspec.json.encode(found), indent=1)
        put_whole(args.out / "compare.json", text + b"\n")
        put_whole(args.out / "compare.html", compare_page(found, str(args.a), str(args.b)).encode())
    if args.json:
        put_json(msgspec.to_builtins(found))
    _say_table(found)
    return 0


def _read(path: Path) -> list[Prediction]:
    try:
        return read_predictions(path)
    except FileNotFoundError as error:
        raise CommandFailed(f"{error.filename}: no such file; expected what `modstream eval` wrote") from None


def _say_table(found: Comparison) -> None:
    rows = [("", "ITEMS", "A", "B", "B - A", "95% INTERVAL"), *map(_row, found.overall)]
    rows += [_row(of) for groups in found.groups.values() for of in groups if _is_clear(of)]
    for line in columns(rows, frozenset(range(1, 6))):
        say(line)
    left = found.only_a + found.only_b
    say(
        f"{counted(found.items, 'item')} in both{f', {left:,} in one alone' if left else ''}; of the groups, those "
        f"whose interval does not hold 0 ({found.resamples:,} paired resamples)"
    )


def _is_clear(of: Difference) -> bool:
    low, high = of.difference.low, of.difference.high
    return low is not None and high is not None and not low <= 0 <= high


def _row(of: Difference) -> Sequence[str]:
    gap = of.difference
    return (of.name, str(of.items), _plain(of.a), _plain(of.b), *(_signed(gap.value, gap.low, gap.high)))


def _signed(value: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    if value is None or low is None or high is None:
        return "–", "–"
    return f"{value:+.3f}", f"{low:+.3f} to {high:+.3f}"


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
