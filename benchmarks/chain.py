"""What Kafka and the worker cost beside the models: the text chain through topics, and in a bare loop."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.bed import Bed
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, spread, steady
from benchmarks.texts import posts

NAME = "chain"
REQUIRED_EFFICIENCY = 0.90
ITEMS = 3_000
ROUNDS = 3
TIMEOUT_S = 300.0
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Run:
    """One backlog through `modstream worker all`."""

    per_second: float
    peak_rss_bytes: int
    cpu_ms: float
    """CPU time of the worker's process for a post."""
    broker_cpu_ms: float


def run(bed: Bed, *, quick: bool, say: Callable[[str], None]) -> Report:
    """The bare loop and the worker in turn."""
    count, rounds = (ITEMS // 10, 1) if quick else (ITEMS, ROUNDS)
    bare: list[dict[str, Any]] = []
    through: list[Run] = []
    for number in range(rounds):
        say(f"chain, round {number + 1} of {rounds}: bare loop")
        bare.append(_bare(bed, count))
        say(f"chain, round {number + 1} of {rounds}: through Kafka")
        through.append(measure(bed, count))
    return report(bare, through)


def report(bare: list[dict[str, Any]], through: list[Run]) -> Report:
    """The report on these rounds of both."""
    bare_rates = [loop["items_per_s"] for loop in bare]
    rates = [run.per_second for run in through]
    efficiency = digits(median(rates) / median(bare_rates), 3)
    figures: dict[str, Any] = {
        "through_kafka": {"items_per_s": spread(rates), "rounds": [digits(rate) for rate in rates]},
        "bare_loop": {"items_per_s": spread(bare_rates), "rounds": [digits(rate) for rate in bare_rates]},
        "efficiency": efficiency,
        "tokens": bare[0]["tokens"],
        "worker_peak_rss_mib": round(max(run.peak_rss_bytes for run in through) / MIB),
        "worker_cpu_ms_per_item": digits(median(run.cpu_ms for run in through)),
        "broker_cpu_ms_per_item": digits(median(run.broker_cpu_ms for run in through)),
    }
    lengths = figures["tokens"]
    columns = ("", "items/s", "least", "most")
    rows = [
        ("bare loop", *spread(bare_rates).values()),
        ("through Kafka", *spread(rates).values()),
    ]
    title = f"chain: {lengths['least']} to {lengths['most']} tokens, {lengths['median']} in the median"
    beside = Table(
        "of the worker",
        ("peak memory MiB", "CPU ms/item", "broker's CPU ms/item"),
        [(figures["worker_peak_rss_mib"], figures["worker_cpu_ms_per_item"], figures["broker_cpu_ms_per_item"])],
    )
    return Report(
        NAME,
        figures,
        (Table(title, columns, rows), beside),
        (Target("chain efficiency", efficiency, REQUIRED_EFFICIENCY),),
    )


def measure(bed: Bed, count: int) -> Run:
    """One backlog of `count` posts through a worker with all stages."""
    with bed.chain(NAME) as chain:
        chain.preload(posts(count))
        with chain.worker("commands", "worker", "all") as worker:
            worker.wait_ready()
            chain.wait_worked_off(count, [worker], TIMEOUT_S)
        outputs = chain.read(chain.topics.decisions, count)
        outputs.require(key for key, _ in posts(count))
    part = steady(outputs.appended_ms)
    taken = [watch.cpu_s(part.from_s, part.to_s) / part.messages * 1000 for watch in (worker.watch, bed.broker)]
    return Run(part.per_second, worker.watch.peak_rss_bytes, *taken)


def _bare(bed: Bed, count: int) -> dict[str, Any]:
    with bed.process("benchmarks.subjects.bare_chain", str(count)) as loop:
        return json.loads(loop.finish(TIMEOUT_S))
