"""The benchmark: costs measured, the plan made of them, and the simulation beside a measured run."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks import chain, plumbing
from benchmarks.bed import Bed
from benchmarks.capacity.costs import KINDS, SCHEMA, Costs, costs_from
from benchmarks.capacity.plan import Assumptions, Plan, core_seconds_a_day, plan
from benchmarks.capacity.queueing import Service, sojourns
from benchmarks.capacity.traffic import Traffic
from benchmarks.drawing import draw, picture_posts
from benchmarks.latency import WARM_UP_S, drive
from benchmarks.latency import plan as arrivals_of
from benchmarks.machine import cpu_model
from benchmarks.recording import audio, media_posts, recordings
from benchmarks.report import Report, Table
from benchmarks.statistics import digits, latencies
from benchmarks.texts import posts, sentences
from streams.topology import STAGES

NAME = "capacity"
POSTS = {"text": 200, "image": 40, "audio": 16, "video": 12, "mixed": 16}
QUICK_POSTS = {"text": 40, "image": 6, "audio": 4, "video": 3, "mixed": 4}
"""Of each kind; the first two of them warm up."""
PER_DAY = 50e6
LOAD = 0.6
"""Of what the chain can do, for the run that the simulation is compared with: the utilisation that plans assume."""
SECONDS, QUICK_SECONDS = 40.0, 8.0
CAPACITY_ITEMS, QUICK_CAPACITY_ITEMS = 1_500, 300
COMMIT_S = (0.004, 0.015)
"""What a commit takes (docs/delivery.md); it begins when the interval since the last one is over."""
COMMIT_INTERVAL_S = 0.025
"""The setting `worker.commit_interval_ms`."""
MAX_ITEMS, MAX_WAIT_S = 32, 0.005
"""Of a batch of short texts, as `encode` makes them."""
TIMEOUT_S = 900.0


def run(bed: Bed, sounds: Path | None, *, quick: bool, say: Callable[[str], None]) -> Report:
    """`sounds`: a folder of recordings of speech; None takes the example's."""
    measured = {kind: _cost(bed, kind, sounds, QUICK_POSTS if quick else POSTS, say) for kind in KINDS}
    say("capacity: what crossing a topic costs")
    crossing = plumbing.measure(bed, plumbing.CANDIDATES[0], plumbing.WARM_UP_MESSAGES // (4 if quick else 1))
    costs = costs_from(
        {
            "schema": SCHEMA,
            "machine": cpu_model(),
            "kinds": {kind: found["cost"] for kind, found in measured.items()},
            "crossing_cpu_s": digits(crossing.cpu_us / 1e6),
        }
    )
    queueing = _compare(bed, measured["text"]["lone_s"], quick=quick, say=say)
    return report(costs, Traffic(PER_DAY), queueing)


def report(
    costs: Costs, traffic: Traffic, queueing: dict[str, Any] | None = None, assumptions: Assumptions | None = None
) -> Report:
    """The plan as tables and figures; `queueing` where it was measured."""
    needs = plan(costs, traffic, assumptions)
    figures: dict[str, Any] = {
        "costs": msgspec.to_builtins(costs),
        "traffic": {"per_day": traffic.per_day, "mix": dict(traffic.mix), "peak": traffic.peak},
        "plan": plan_figures(needs, traffic),
        **({"queueing": queueing} if queueing else {}),
    }
    stages = [stage for stage in STAGES if any(stage in cost.cpu_s for cost in costs.kinds.values())]
    tables = [
        Table(
            "capacity: CPU ms of a post, by its kind",
            ("kind", *stages, "all"),
            [
                (
                    kind,
                    *(digits(costs.kinds[kind].cpu_s.get(stage, 0.0) * 1000, 3) for stage in stages),
                    digits(sum(costs.kinds[kind].cpu_s.values()) * 1000, 3),
                )
                for kind in KINDS
            ],
        ),
        *plan_tables(needs, traffic),
    ]
    if queueing:
        tables.append(queueing_table(queueing))
    return Report(NAME, figures, tuple(tables))


def queueing_table(queueing: Mapping[str, Any]) -> Table:
    """What was measured beside what the simulation says."""
    title = f"ms from publishing to a decision at {queueing['load']:.0%} load, text"
    rows = [(name.removesuffix("_ms"), *queueing[name].values()) for name in ("measured_ms", "simulated_ms")]
    return Table(title, ("", "p50", "p95", "p99", "most"), rows)


def plan_figures(needs: Plan, traffic: Traffic) -> dict[str, Any]:
    """For machines."""
    return {
        **{name: digits(value) for name, value in asdict(needs).items() if isinstance(value, float)},
        "brokers": needs.brokers,
        "cores": needs.cores,
        "core_hours_a_day": digits(core_seconds_a_day(needs, traffic) / 3600),
        "segments": [
            {
                "stages": [stage.value for stage in need.stages],
                "posts_per_s": digits(need.posts_per_s),
                "cpu_ms_per_post": digits(need.cpu_per_post_s * 1000),
                "cores": need.cores,
                "workers": need.workers,
                "partitions": need.partitions,
                "gpus": need.gpus,
            }
            for need in needs.segments
        ],
    }


def plan_tables(needs: Plan, traffic: Traffic) -> Iterator[Table]:
    """For people."""
    mix = ", ".join(f"{share:.0%} {kind}" for kind, share in traffic.mix.items())
    yield Table(
        f"{traffic.per_day:,.0f} posts a day ({mix}), {traffic.peak_per_s:,.0f} a second at the peak",
        ("segment", "posts/s", "CPU ms", "cores", "workers", "partitions", "GPUs"),
        [
            (
                " ".join(need.stages),
                digits(need.posts_per_s, 3),
                digits(need.cpu_per_post_s * 1000, 3),
                need.cores,
                need.workers,
                need.partitions,
                "not measured" if need.gpus is None else str(need.gpus),
            )
            for need in needs.segments
        ],
    )
    yield Table(
        "Kafka and storage, copies included",
        ("brokers", "MiB/s in at the peak", "Kafka GiB", "media store GiB", "core hours a day"),
        [
            (
                needs.brokers,
                digits(needs.kafka_in_mib_per_s, 3),
                digits(needs.kafka_gib, 3),
                digits(needs.media_gib, 3),
                digits(core_seconds_a_day(needs, traffic) / 3600, 3),
            )
        ],
    )


def _cost(
    bed: Bed, kind: str, sounds: Path | None, counts: dict[str, int], say: Callable[[str], None]
) -> dict[str, Any]:
    say(f"capacity: {counts[kind]} posts of {kind}")
    path = bed.folder / f"capacity-{kind}.jsonl"
    path.write_bytes(b"\n".join(value for _, value in _posts(kind, counts[kind], sounds)))
    with bed.process("benchmarks.subjects.capacity_costs", str(path)) as subject:
        return json.loads(subject.finish(TIMEOUT_S))


def _posts(kind: str, count: int, sounds: Path | None) -> Iterator[tuple[str, bytes]]:
    if kind == "text":
        return posts(count)
    if kind == "image":
        return picture_posts(count)
    if kind == "mixed":
        return _mixed(count, sounds)
    return media_posts("audio" if kind == "audio" else "video", count, recordings(sounds))


def _mixed(count: int, sounds: Path | None) -> Iterator[tuple[str, bytes]]:
    """Words, a picture and ten seconds of sound in one post; none of them twice."""
    sources, texts = recordings(sounds), sentences()
    for number in range(count):
        key = f"p-{number:06}"
        media = [
            {"media_id": name, "kind": media_kind, "data": base64.b64encode(data).decode()}
            for name, media_kind, data in (
                ("m-1", "image", draw(10_000 + number)),
                ("m-2", "audio", audio(10_000 + number, sources)),
            )
        ]
        post = {"schema": "post/1", "post_id": key, "text": texts[number % len(texts)], "media": media}
        yield key, json.dumps(post, ensure_ascii=False).encode()


def _compare(bed: Bed, lone_s: float, *, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Texts at random moments through a real worker, and the same moments through the simulation. `lone_s`: what the
    bare chain takes for one text alone."""
    say("capacity: the chain's rate for text")
    per_s = chain.measure(bed, QUICK_CAPACITY_ITEMS if quick else CAPACITY_ITEMS).per_second
    arrivals = arrivals_of(per_s * LOAD, WARM_UP_S + (QUICK_SECONDS if quick else SECONDS))
    say(f"capacity: {len(arrivals):,} texts at {per_s * LOAD:.0f} a second")
    with bed.chain(NAME) as each, each.worker("commands", "worker", "all") as worker:
        worker.wait_ready()
        values, _ = drive(each, arrivals, worker)
    # A batch of one takes what the bare chain takes for it; of many, each what the saturated worker needs.
    each_s = 1 / per_s
    service = Service(each_s, max(0.0, lone_s - each_s), MAX_ITEMS, MAX_WAIT_S)
    moments = np.array([arrival.at_s for arrival in arrivals])
    chance = np.random.default_rng(11)
    commit_s = chance.uniform(0, COMMIT_INTERVAL_S, len(moments)) + chance.uniform(*COMMIT_S, len(moments))
    simulated = ((sojourns(moments, service, 1) + commit_s) * 1000)[moments >= WARM_UP_S]
    return {
        "load": LOAD,
        "offered_per_s": digits(per_s * LOAD),
        "service": {"fixed_s": digits(service.fixed_s), "each_s": digits(service.each_s)},
        "measured_ms": latencies(values),
        "simulated_ms": latencies([float(value) for value in simulated]),
    }
