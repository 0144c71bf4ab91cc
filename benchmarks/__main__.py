"""`python -m benchmarks`: tables on the screen, figures in a file."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import asr, cache, capacity, chain, lanes, latency, ocr, pictures, plumbing, scaling, sound, validate
from benchmarks.bed import Bed, WrongOutputs
from benchmarks.machine import business, describe, slug
from benchmarks.processes import SubjectFailed
from benchmarks.readers import TooFewPictures
from benchmarks.recording import TooFewSounds
from benchmarks.report import Report, document
from benchmarks.watch import Watch
from streams.broker import BrokerError, LocalBroker

WITHOUT_KAFKA = (validate.NAME, ocr.NAME, cache.NAME, asr.NAME)
WITH_KAFKA = (
    plumbing.NAME,
    chain.NAME,
    latency.NAME,
    lanes.NAME,
    pictures.NAME,
    sound.NAME,
    scaling.NAME,
    capacity.NAME,
)
NAMES = (*WITHOUT_KAFKA, *WITH_KAFKA)
ALL = "all"
FOLDER = Path("build/bench")
PADDLE_VARIABLE = "PADDLE_PYTHON"
PADDLE_PYTHON = Path(".venv-paddle/bin/python")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is measured, and how."""

    names: tuple[str, ...]
    quick: bool
    paddle_python: Path
    """Python of the environment that PaddleOCR is in."""
    pictures: Path | None
    """A folder of pictures to read; None draws some."""
    sounds: Path | None
    """A folder of recordings to hear; None takes the example's."""


def main(argv: list[str] | None = None) -> int:
    """The command. Its exit code says whether everything was measured, not whether it was fast."""
    args = _parser().parse_args(argv)
    unknown = set(args.names) - {*NAMES, ALL}
    if unknown:
        _parser().error(f"there is no benchmark {', '.join(sorted(unknown))}: expected {', '.join((*NAMES, ALL))}")
    names = NAMES if not args.names or ALL in args.names else tuple(name for name in NAMES if name in args.names)
    choice = Choice(names, args.quick, args.paddle_python, args.pictures, args.sounds)
    if ocr.NAME in names and not choice.paddle_python.exists():
        _parser().error(
            f"{ocr.NAME} compares with PaddleOCR, and there is no {choice.paddle_python}: install"
            " requirements/paddle.in into an environment of its own, and name its Python with --paddle-python"
        )
    machine = describe()
    warning = business(machine)
    if warning:
        say(warning)
    started_at, began = datetime.now(UTC), time.monotonic()
    try:
        reports = measure(choice)
    except (BrokerError, SubjectFailed, TooFewPictures, TooFewSounds, WrongOutputs, TimeoutError) as error:
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


def measure(choice: Choice) -> list[Report]:
    """The benchmarks chosen, one after the other, each printed as it ends."""
    reports: list[Report] = []

    def add(report: Report) -> None:
        print(f"\n{report.render()}\n", flush=True)
        reports.append(report)

    with tempfile.TemporaryDirectory(prefix="modstream-bench-") as folder:
        _without_kafka(choice, Path(folder), add)
        if any(name in WITH_KAFKA for name in choice.names):
            _with_kafka(choice, Path(folder), add)
    return reports


def _without_kafka(choice: Choice, folder: Path, add: Callable[[Report], None]) -> None:
    names, quick = choice.names, choice.quick
    if validate.NAME in names:
        say("validate")
        add(validate.run(quick=quick))
    if ocr.NAME in names:
        add(ocr.run(folder / ocr.NAME, choice.paddle_python, choice.pictures, quick=quick, say=say))
    if cache.NAME in names:
        add(cache.run(folder / cache.NAME, choice.pictures, quick=quick, say=say))
    if asr.NAME in names:
        add(asr.run(folder / asr.NAME, choice.sounds, quick=quick, say=say))


def _with_kafka(choice: Choice, folder: Path, add: Callable[[Report], None]) -> None:
    names, quick = choice.names, choice.quick
    say("starting a local Kafka")
    with LocalBroker(folder / "kafka", progress=say) as broker, Watch(broker.pid) as watch:
        bed = Bed(broker.bootstrap_servers, watch, folder)
        plumbing.warm_up(bed)
        if plumbing.NAME in names:
            add(plumbing.run(bed, quick=quick, say=say))
        rate: float | None = None
        if chain.NAME in names:
            measured = chain.run(bed, quick=quick, say=say)
            rate = measured.figures["through_kafka"]["items_per_s"]["median"]
            add(measured)
        if latency.NAME in names:
            add(latency.run(bed, rate, quick=quick, say=say))
        if lanes.NAME in names:
            add(lanes.run(bed, rate, quick=quick, say=say))
        if pictures.NAME in names:
            add(pictures.run(bed, quick=quick, say=say))
        if sound.NAME in names:
            add(sound.run(bed, choice.sounds, quick=quick, say=say))
        if scaling.NAME in names:
            add(scaling.run(bed, quick=quick, say=say))
        if capacity.NAME in names:
            add(capacity.run(bed, choice.sounds, quick=quick, say=say))


def say(text: str) -> None:
    """Progress is for a person, so it goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=f"some of {', '.join(NAMES)}; {ALL} by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"where the figures go (default: in {FOLDER})")
    parser.add_argument(
        "--paddle-python",
        type=Path,
        default=Path(os.environ.get(PADDLE_VARIABLE) or PADDLE_PYTHON),
        metavar="FILE",
        help=f"Python of the environment that has PaddleOCR, for {ocr.NAME} (default: ${PADDLE_VARIABLE}, or"
        f" {PADDLE_PYTHON})",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help=f"pictures for {ocr.NAME} and {cache.NAME} (default: some that are drawn)",
    )
    parser.add_argument(
        "--sounds",
        type=Path,
        metavar="DIR",
        help=f"recordings of speech for {asr.NAME} and {sound.NAME} (default: the example's)",
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it runs, not to report")
    return parser


if __name__ == "__main__":
    sys.exit(main())
