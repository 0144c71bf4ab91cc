"""How fast messages go through, when the stage does nothing: the worker, a Faust agent, and a bare loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.bed import Bed, Chain
from benchmarks.processes import Subject
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, spread, steady
from schemas import Stage
from streams.topology import STAGES

NAME = "plumbing"
REQUIRED_PER_SECOND = 50_000
REQUIRED_TIMES_FAUST = 8.0

NEXT = STAGES[1]
"""Where a post goes next when ingest does nothing to it, and so does not shorten its route either."""

TEXT = "a small post like most of them: a sentence or two, and nobody minds it."
"""With its id and schema, a post of 141 bytes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of those compared. `messages` is the backlog: some seconds of work for each."""

    name: str
    messages: int
    delivery: str | None = None
    """Of the worker; None for the others."""
    module: str = "benchmarks.subjects.worker"
    arguments: tuple[str, ...] = (Stage.INGEST.value,)


CANDIDATES = (
    Candidate("worker, exactly once", 300_000, "exactly_once"),
    Candidate("worker, at least once", 300_000, "at_least_once"),
    Candidate("faust agent", 50_000, None, "benchmarks.subjects.faust_agent", ()),
    Candidate("bare loop, records", 500_000, None, "benchmarks.subjects.bare_loop", ("record",)),
    Candidate("bare loop, JSON", 800_000, None, "benchmarks.subjects.bare_loop", ("json",)),
)
WORKER, AT_LEAST_ONCE, FAUST = (candidate.name for candidate in CANDIDATES[:3])

ROUNDS = 5
TIMEOUT_S = 180.0
WARM_UP_MESSAGES = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a candidate showed."""

    per_second: float
    cpu_us: float
    """CPU time of the candidate's process for a message."""
    broker_cpu_us: float


def warm_up(bed: Bed) -> None:
    """Let a fresh broker compile what all benchmarks use: a cold one takes up to a quarter off the first one's rate."""
    measure(bed, CANDIDATES[0], WARM_UP_MESSAGES)


def run(bed: Bed, *, quick: bool, say: Callable[[str], None]) -> Report:
    """All candidates in turn, several rounds of them, so that what changes on the machine meets all of them alike."""
    rounds: dict[str, list[Run]] = {candidate.name: [] for candidate in CANDIDATES}
    for number in range(1 if quick else ROUNDS):
        for candidate in CANDIDATES:
            say(f"plumbing, round {number + 1}: {candidate.name}")
            count = candidate.messages // 10 if quick else candidate.messages
            rounds[candidate.name].append(measure(bed, candidate, count))
    return report(rounds)


def report(rounds: dict[str, list[Run]]) -> Report:
    """The report on these rounds of each candidate."""
    rates = {name: median(run.per_second for run in runs) for name, runs in rounds.items()}
    figures: dict[str, Any] = {
        "candidates": {
            name: {
                "messages_per_s": spread([run.per_second for run in runs]),
                "rounds": [digits(run.per_second) for run in runs],
                "cpu_us_per_message": digits(median(run.cpu_us for run in runs)),
                "broker_cpu_us_per_message": digits(median(run.broker_cpu_us for run in runs)),
            }
            for name, runs in rounds.items()
        },
        "times_faust": {name: digits(rate / rates[FAUST]) for name, rate in rates.items()},
        "message_bytes": len(post(0)[1]),
    }
    columns = ("", "messages/s", "least", "most", "x Faust", "CPU us/msg", "broker us/msg")
    rows = [
        (
            name,
            found["messages_per_s"]["median"],
            found["messages_per_s"]["least"],
            found["messages_per_s"]["most"],
            figures["times_faust"][name],
            found["cpu_us_per_message"],
            found["broker_cpu_us_per_message"],
        )
        for name, found in figures["candidates"].items()
    ]
    targets = (
        Target("exactly once, messages/s", digits(rates[WORKER]), REQUIRED_PER_SECOND),
        Target("exactly once, times Faust", figures["times_faust"][WORKER], REQUIRED_TIMES_FAUST),
    )
    return Report(NAME, figures, (Table("plumbing: a stage that does nothing", columns, rows),), targets)


def post(number: int) -> tuple[str, bytes]:
    """Key and value of a small post."""
    key = f"p-{number:07}"
    return key, json.dumps({"schema": "post/1", "post_id": key, "lang": "en", "text": TEXT}).encode()


def _posts(count: int) -> Iterator[tuple[str, bytes]]:
    return map(post, range(count))


def measure(bed: Bed, candidate: Candidate, count: int) -> Run:
    """One backlog of `count` small posts through a candidate."""
    with bed.chain(NAME) as chain:
        chain.preload(_posts(count))
        with _start(chain, candidate) as subject:
            chain.wait_worked_off(count, [subject], TIMEOUT_S)
        outputs = chain.read(chain.topics.stage(NEXT), count)
        outputs.require(key for key, _ in _posts(count))
    part = steady(outputs.appended_ms)
    taken = [watch.cpu_s(part.from_s, part.to_s) / part.messages * 1e6 for watch in (subject.watch, bed.broker)]
    return Run(part.per_second, *taken)


def _start(chain: Chain, candidate: Candidate) -> Subject:
    if candidate.name == FAUST:
        target = chain.topics.stage(NEXT)
        arguments = (chain.bed.servers, chain.group, chain.posts, target, str(chain.partitions))
        return chain.worker(candidate.module, *arguments)
    extra = {"MODSTREAM_DELIVERY": candidate.delivery} if candidate.delivery else {}
    return chain.worker(candidate.module, *candidate.arguments, **extra)
