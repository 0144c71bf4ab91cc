"""From what a post costs and how many come to what they need. Arithmetic; every assumption has a name and a value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.capacity.costs import Costs, KindCost
from benchmarks.capacity.traffic import DAY_S, Traffic
from schemas import Stage

SEGMENTS: tuple[tuple[Stage, ...], ...] = (
    (Stage.INGEST,),
    (Stage.FETCH,),
    (Stage.OCR,),
    (Stage.ASR,),
    (Stage.PACK, Stage.ENCODE, Stage.FUSE),
)
"""How the chain is cut: what differs in cost by far is scaled alone, what follows at once stays together."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not measured here, and what is chosen."""

    utilisation: float = 0.6
    """Of a core at the peak. Waiting grows as rho / (1 - rho) (M/M/1): at 0.6 a post waits for 1.5 services of its kind
    on one core and for far less on many; at 0.9 for 9."""
    worker_cores: int = 4
    """Of one worker process: enough for its stages to overlap, little to do again after a kill."""
    headroom: float = 1.5
    """Partitions for each worker at the peak: workers can be added for so much more without new topics."""
    replication: int = 3
    broker_mib_per_s: float = 50.0
    """That one broker takes in, copies included, with room for a broker that is away: an assumption, no measurement."""
    least_brokers: int = 3
    """As many as there are copies."""
    public_days: float = 7.0
    """Retention of posts and decisions, feedback and flags, by default."""
    internal_days: float = 1.0
    media_days: float = 7.0
    dead_letter_share: float = 0.001
    """Posts that become dead letters: broken ones, by default kept for 30 days."""
    dead_letter_days: float = 30.0


@dataclass(frozen=True, slots=True)
class SegmentNeed:
    """One segment of the chain."""

    stages: tuple[Stage, ...]
    posts_per_s: float
    """That reach it at the peak."""
    cpu_per_post_s: float
    """Mean over the posts that reach it, with the crossing of its topic."""
    cores: int
    """At the peak, at the utilisation that is assumed."""
    workers: int
    partitions: int
    gpus: int | None
    """None: not measured."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a day needs."""

    segments: tuple[SegmentNeed, ...]
    brokers: int
    kafka_in_mib_per_s: float
    """Into the brokers at the peak, copies included."""
    kafka_gib: float
    """On all brokers' disks together, copies included."""
    media_gib: float
    """In the media store, within its retention."""

    @property
    def cores(self) -> int:
        return sum(segment.cores for segment in self.segments)


def plan(costs: Costs, traffic: Traffic, assumptions: Assumptions | None = None) -> Plan:
    """What this traffic needs at these costs."""
    given = assumptions or Assumptions()
    segments = tuple(_segment(stages, costs, traffic, given) for stages in SEGMENTS)

    def mean(amount: Callable[[KindCost], float]) -> float:
        """Of all posts."""
        return sum(share * amount(costs.kinds[kind]) for kind, share in traffic.mix.items())

    posts = mean(lambda cost: cost.post_bytes)
    outputs = mean(lambda cost: cost.output_bytes)
    # Kind by kind: what has large records crosses more topics too.
    records = mean(lambda cost: cost.record_bytes * _crossings(cost))
    kept = (
        (posts + outputs) * given.public_days
        + records * given.internal_days
        + posts * given.dead_letter_share * given.dead_letter_days
    )
    into = (posts + outputs + records) * traffic.peak_per_s * given.replication / 2**20
    return Plan(
        segments=segments,
        brokers=max(given.least_brokers, math.ceil(into / given.broker_mib_per_s)),
        kafka_in_mib_per_s=into,
        kafka_gib=kept * traffic.per_day * given.replication / 2**30,
        media_gib=mean(lambda cost: cost.media_bytes) * traffic.per_day * given.media_days / 2**30,
    )


def _crossings(cost: KindCost) -> int:
    """How many topics a record of this kind crosses: one to each segment that it reaches after the first."""
    return sum(any(stage in cost.cpu_s for stage in stages) for stages in SEGMENTS[1:])


def _segment(stages: tuple[Stage, ...], costs: Costs, traffic: Traffic, given: Assumptions) -> SegmentNeed:
    reached = {
        kind: share for kind, share in traffic.mix.items() if any(stage in costs.kinds[kind].cpu_s for stage in stages)
    }
    share = sum(reached.values())
    if share == 0:
        return SegmentNeed(stages, 0.0, 0.0, 0, 0, 0, 0)
    cpu_s = sum(
        part * sum(costs.kinds[kind].cpu_s.get(stage, 0.0) for stage in stages) for kind, part in reached.items()
    )
    per_post_s = cpu_s / share + costs.crossing_cpu_s
    per_s = traffic.peak_per_s * share
    cores = math.ceil(per_s * per_post_s / given.utilisation)
    workers = math.ceil(cores / given.worker_cores)
    return SegmentNeed(
        stages=stages,
        posts_per_s=per_s,
        cpu_per_post_s=per_post_s,
        cores=cores,
        workers=workers,
        partitions=math.ceil(workers * given.headroom),
        gpus=_gpus(stages, costs, traffic, given),
    )


def _gpus(stages: tuple[Stage, ...], costs: Costs, traffic: Traffic, given: Assumptions) -> int | None:
    if not any(stage in cost.gpu_s for cost in costs.kinds.values() for stage in stages):
        return None
    gpu_s = sum(
        share * sum(costs.kinds[kind].gpu_s.get(stage, 0.0) for stage in stages) for kind, share in traffic.mix.items()
    )
    return math.ceil(traffic.peak_per_s * gpu_s / given.utilisation)


def mean_cores(need: SegmentNeed, traffic: Traffic) -> float:
    """Cores that a segment keeps busy over the day's mean."""
    return need.posts_per_s / traffic.peak * need.cpu_per_post_s


def core_seconds_a_day(plan: Plan, traffic: Traffic) -> float:
    """What the day's posts take on all cores together."""
    return sum(mean_cores(need, traffic) for need in plan.segments) * DAY_S
