"""Whether a second worker halves the backlog of a stage that waits for something slow."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.bed import Bed, Chain, wait_until
from benchmarks.plumbing import NEXT, post
from benchmarks.processes import Subject
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, spread
from schemas import Stage

NAME = "scaling"
REQUIRED_RATIO = 0.55
"""Of one worker's time: half, and a tenth of that for the last batches, which do not end together."""

WAIT_S, ITEMS = 0.05, 10
"""Each batch of ten takes 50 ms: 200 messages a second for a worker, far below what it could pass on."""
BACKLOG = 2_400
ROUNDS = 3
TIMEOUT_S = 120.0
WORKERS = (1, 2)


@dataclass(frozen=True, slots=True)
class Run:
    """How long the backlog took, and how many partitions of the topic each worker had."""

    seconds: float
    shares: tuple[int, ...]


def run(bed: Bed, *, quick: bool, say: Callable[[str], None]) -> Report:
    """One worker and two in turn."""
    rounds: dict[int, list[Run]] = {count: [] for count in WORKERS}
    for number in range(1 if quick else ROUNDS):
        for count in WORKERS:
            say(f"scaling, round {number + 1}: {count} worker{'s' if count > 1 else ''}")
            rounds[count].append(_measure(bed, count, BACKLOG // 4 if quick else BACKLOG))
    return report(rounds)


def report(rounds: dict[int, list[Run]]) -> Report:
    """The report on these rounds with one worker and with two."""
    times = {count: [run.seconds for run in runs] for count, runs in rounds.items()}
    ratio = digits(median(times[2]) / median(times[1]), 3)
    figures = {
        "backlog_s": {str(count): spread(values) for count, values in times.items()},
        "partitions_each": {str(count): [list(run.shares) for run in runs] for count, runs in rounds.items()},
        "ratio": ratio,
    }
    rows = [
        (count, *spread(values).values(), ", ".join("+".join(map(str, run.shares)) for run in rounds[count]))
        for count, values in times.items()
    ]
    table = Table(
        f"scaling: a stage that takes {WAIT_S * 1000:.0f} ms for {ITEMS} messages",
        ("workers", "backlog s", "least", "most", "partitions each"),
        rows,
    )
    targets = (Target("two workers' time, of one's", ratio, REQUIRED_RATIO, at_least=False),)
    return Report(NAME, figures, (table,), targets)


def _measure(bed: Bed, workers: int, count: int) -> Run:
    arguments = (Stage.INGEST.value, str(WAIT_S), str(ITEMS))
    with bed.chain(NAME) as chain:
        with ExitStack() as stack:
            subjects = [
                stack.enter_context(chain.worker("benchmarks.subjects.worker", *arguments, instance=f"w{number}"))
                for number in range(workers)
            ]
            for subject in subjects:
                subject.wait_ready()
            shares = _wait_shared(chain, subjects)
            began_ms = time.time() * 1000
            chain.preload(map(post, range(count)), evenly=True)
            chain.wait_worked_off(count, subjects, TIMEOUT_S)
        outputs = chain.read(chain.topics.stage(NEXT), count)
        outputs.require(key for key, _ in map(post, range(count)))
        return Run((max(outputs.appended_ms) - began_ms) / 1000, shares)


def _wait_shared(chain: Chain, subjects: Sequence[Subject]) -> tuple[int, ...]:
    """Until the posts' partitions are all given out among the workers; how many each has."""
    shares: Counter[str] = Counter()

    def settled() -> bool:
        shares.clear()
        shares.update(chain.shares())
        return len(shares) == len(subjects) and sum(shares.values()) == chain.partitions

    wait_until(settled, f"{len(subjects)} workers share the topic", subjects, TIMEOUT_S)
    return tuple(sorted(shares.values()))
