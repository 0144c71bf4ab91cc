"""`python -m benchmarks.capacity`: what a day of posts needs, from costs that were measured before."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from benchmarks.capacity.costs import BadCosts, read_costs
from benchmarks.capacity.plan import Assumptions
from benchmarks.capacity.run import PER_DAY, report
from benchmarks.capacity.traffic import DEFAULT_MIX, PEAK, Traffic, parsed_mix


def main(argv: list[str] | None = None) -> int:
    """Tables on the screen, or figures with `--json`; 1 for costs or traffic that are none."""
    args = _parser().parse_args(argv)
    try:
        traffic = Traffic(args.per_day, DEFAULT_MIX if args.mix is None else parsed_mix(args.mix), args.peak)
        given = {field.name: getattr(args, field.name) for field in fields(Assumptions)}
        found = report(read_costs(args.costs), traffic, assumptions=replace(Assumptions(), **given))
    except (BadCosts, OSError, ValueError) as error:
        print(f"capacity: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found.figures, indent=1) if args.json else found.render())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument(
        "costs", type=Path, metavar="FILE", help="results of the benchmark `capacity`, or costs in a file of their own"
    )
    parser.add_argument(
        "--per-day", type=float, default=PER_DAY, metavar="N", help="posts a day (default: %(default)g)"
    )
    shares = ",".join(f"{kind}={share:g}" for kind, share in DEFAULT_MIX.items())
    parser.add_argument("--mix", metavar="KIND=SHARE,…", help=f"kinds of posts (default: {shares})")
    parser.add_argument(
        "--peak", type=float, default=PEAK, metavar="X", help="busiest minutes by the mean (%(default)g)"
    )
    parser.add_argument("--json", action="store_true", help="print figures instead of tables")
    chosen = parser.add_argument_group("assumptions", "docs/capacity.md says what each stands for.")
    for field in fields(Assumptions):
        kind = float if isinstance(field.default, float) else int
        flag = f"--{field.name.replace('_', '-')}"
        chosen.add_argument(flag, type=kind, default=field.default, metavar="X", help="(default: %(default)g)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
