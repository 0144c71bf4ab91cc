"""`python -m benchmarks`: tables on the screen, figures in a file."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import chain, latency, plumbing, scaling, validate
from benchmarks.bed import Bed, WrongOutputs
from benchmarks.machine import business, describe, slug
from benchmarks.processes import SubjectFailed
from benchmarks.report import Report, document
from benchmarks.watch import Watch
from streams.broker import BrokerError, LocalBroker

NAMES = (validate.NAME, plumbing.NAME, chain.NAME, latency.NAME, scaling.NAME)
ALL = "all"
FOLDER = Path("build/bench")


def main(argv: list[str] | None = None) -> int:
    """The command. Its exit code says whether everything was measured, not whether it was fast."""
    args = _parser().parse_args(argv)
    unknown = set(args.names) - {*NAMES, ALL}
    if unknown:
        _parser().error(f"there is no benchmark {', '.join(sorted(unknown))}: expected {', '.join((*NAMES, ALL))}")
    names = NAMES if not args.names or ALL in args.names else tuple(name for name in NAMES if name in args.names)
    machine = describe()
    warning = business(machine)
    if warning:
        say(warning)
    started_at, began = datetime.now(UTC), time.monotonic()
    try:
        reports = measure(names, quick=args.quick)
    except (BrokerError, SubjectFailed, WrongOutputs, TimeoutError) as error:
        say(f"{type(error).__name__}: {error}")
        return 1
    found = document(
        reports,
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        quick=args.quick,
        seconds=time.monotonic() - began,
    )
    path: Path = args.json or FOLDER / f"{started_at:%Y-%m-%d}-{slug(machine)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    say(f"written to {path}")
    if warning:
        say(warning)
    return 0


def measure(names: tuple[str, ...], *, quick: bool) -> list[Report]:
    """The benchmarks of these names, one after the other, each printed as it ends."""
    reports: list[Report] = []

    def add(report: Report) -> None:
        print(f"\n{report.render()}\n", flush=True)
        reports.append(report)

    if validate.NAME in names:
        say("validate")
        add(validate.run(quick=quick))
    if set(names) == {validate.NAME}:
        return reports
    with tempfile.TemporaryDirectory(prefix="modstream-bench-") as folder:
        say("starting a local Kafka")
        with LocalBroker(Path(folder) / "kafka", progress=say) as broker, Watch(broker.pid) as watch:
            bed = Bed(broker.bootstrap_servers, watch, Path(folder))
            plumbing.warm_up(bed)
            if plumbing.NAME in names:
                add(plumbing.run(bed, quick=quick, say=say))
            capacity: float | None = None
            if chain.NAME in names:
                measured = chain.run(bed, quick=quick, say=say)
                capacity = measured.figures["through_kafka"]["items_per_s"]["median"]
                add(measured)
            if latency.NAME in names:
                add(latency.run(bed, capacity, quick=quick, say=say))
            if scaling.NAME in names:
                add(scaling.run(bed, quick=quick, say=say))
    return reports


def say(text: str) -> None:
    """Progress is for a person, so it goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=f"some of {', '.join(NAMES)}; {ALL} by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"where the figures go (default: in {FOLDER})")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs, not to report")
    return parser


if __name__ == "__main__":
    sys.exit(main())
