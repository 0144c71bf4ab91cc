"""Recording rules: what alerts and dashboards read more than once, or over windows that are dear.

Where a window is long, counts are sums of rates that were recorded once a minute: cheap, and where workers were not
there nothing is made up, as an average over what is left would.
"""

from __future__ import annotations

from schemas import Action
from streams.metrics import catalogue
from streams.metrics.specs import HistogramSpec
from streams.watch.objectives import OBJECTIVES, WINDOWS
from streams.watch.promql import (
    Recorded,
    gauge,
    increase,
    is_,
    like,
    mean,
    rate,
)
from streams.watch.rules import Group, Recording

MINUTE = 60
"""Seconds between two evaluations of the groups whose rates are summed up."""

LAG_SECONDS = Recorded("modstream:lag_seconds:max", ("topic",))
LAG_MESSAGES = Recorded("modstream:lag_messages:sum", ("topic",))
STAGE_RATE = Recorded("modstream:stage_records:rate5m", ("stage",))
STAGE_RECORDS_15M = Recorded("modstream:stage_records:increase15m", ("stage",))
STAGE_RECORDS_DAY_BEFORE = Recorded("modstream:stage_records:increase1d_before", ("stage",))
BATCH_FILL = Recorded("modstream:batch_fill:ratio5m", ("stage",))

DECISIONS_RATE = Recorded("modstream:decisions:rate5m", ("action",))
DECISIONS_1H = Recorded("modstream:decisions:increase1h", ("action",))
DECISIONS_DAY_BEFORE = Recorded("modstream:decisions:increase1d_before", ("action",))
DRIFT = Recorded("modstream:decision_drift:psi1h")

GROUP_RATE = Recorded("modstream:group_decisions:rate5m", ("dimension", "group", "action"))
GROUP_COUNT = Recorded("modstream:group_decisions:increase6h", ("dimension", "group", "action"))
GROUP_SHARE = Recorded("modstream:group_share:ratio6h", ("dimension", "group", "outcome"))
WHOLE_SHARE = Recorded("modstream:whole_share:ratio6h", ("dimension", "outcome"))
GROUP_Z = Recorded("modstream:group_share:z6h", ("dimension", "group", "outcome"))

DIMENSIONS = {"language": "lang", "region": "region", "tenant": "tenant"}
"""What decisions are compared by -> the label of `POSTS_DECIDED`."""

RESTRICTED, BLOCKED = "restricted", "blocked"
OUTCOMES = {RESTRICTED: like(f"{Action.REVIEW.value}|{Action.BLOCK.value}"), BLOCKED: is_(Action.BLOCK.value)}
"""What may befall a group more often than others -> the actions that count as it."""

SMALLEST_SHARE = 0.001
"""The least share of an action in the drift: the logarithm of nothing has no end."""


def errors(objective: str, window: str) -> Recorded:
    """The share of an objective's bad events over a window."""
    return Recorded(f"modstream:{objective}_errors:ratio{window}")


def _slo() -> Group:
    return Group(
        "modstream-objectives",
        "30s",
        [
            Recording(errors(objective.name, window), objective.errors(window))
            for objective in OBJECTIVES
            for window in WINDOWS
        ],
    )


def _batch_fill() -> str:
    """The mean batch against its limit, by number or by cost, whichever it is nearer to."""

    def share(what: HistogramSpec, limit: str) -> str:
        return f"({mean(what, '5m', ('stage',))} / {limit})"

    items = share(catalogue.BATCH_ITEMS, gauge("max", catalogue.BATCH_LIMIT_ITEMS, ("stage",)))
    cost = share(catalogue.BATCH_COST, gauge("max", catalogue.BATCH_LIMIT_COST, ("stage",)))
    # "a where a >= b, else b": PromQL has no maximum of two vectors.
    return f"({items} >= {cost}) or {cost}"


def _stages() -> Group:
    by_stage = ("stage",)
    return Group(
        "modstream-stages",
        "30s",
        [
            Recording(LAG_SECONDS, gauge("max", catalogue.LAG_SECONDS, ("topic",))),
            Recording(LAG_MESSAGES, gauge("sum", catalogue.LAG_MESSAGES, ("topic",))),
            Recording(STAGE_RECORDS_15M, increase(catalogue.STAGE_RECORDS, "15m", by_stage)),
            Recording(BATCH_FILL, _batch_fill()),
        ],
    )


def _mix() -> Group:
    """Population stability index of the last hour's actions against the day before: the sum of (p - q) ln(p / q) over
    the actions (Yurdakul, "Statistical Properties of Population Stability Index", Western Michigan University 2018)."""
    hour, day = (
        f"clamp_min({series.name} / on () group_left () sum({series.name}), {SMALLEST_SHARE})"
        for series in (DECISIONS_1H, DECISIONS_DAY_BEFORE)
    )
    rate_5m = DECISIONS_RATE.name
    return Group(
        "modstream-decisions",
        "1m",
        [
            Recording(DECISIONS_RATE, rate(catalogue.POSTS_DECIDED, "5m", ("action",))),
            Recording(DECISIONS_1H, f"sum_over_time({rate_5m}[1h]) * {MINUTE}"),
            Recording(DECISIONS_DAY_BEFORE, f"sum_over_time({rate_5m}[1d] offset 1h) * {MINUTE}"),
            Recording(DRIFT, f"sum(({hour} - {day}) * ln({hour} / {day}))"),
            Recording(STAGE_RATE, rate(catalogue.STAGE_RECORDS, "5m", ("stage",))),
            Recording(STAGE_RECORDS_DAY_BEFORE, f"sum_over_time({STAGE_RATE.name}[1d] offset 1h) * {MINUTE}"),
        ],
    )


def _groups() -> Group:
    """How often a group's posts are restricted, and how surely more (or less) often than all posts: the z of one
    proportion, (p - P) / sqrt(P (1 - P) / n), for a group of n posts with the share p where all have P."""
    rules: list[Recording] = []
    for dimension, label in DIMENSIONS.items():
        decided = rate(catalogue.POSTS_DECIDED, "5m", ("action", label))
        named = f'label_replace({decided}, "group", "$1", "{label}", "(.+)")'
        rules.append(Recording(GROUP_RATE, f"sum by (action, group) ({named})", {"dimension": dimension}))
    rules.append(Recording(GROUP_COUNT, f"sum_over_time({GROUP_RATE.name}[6h]) * {MINUTE}"))
    for outcome, actions in OUTCOMES.items():
        for makes, by in ((GROUP_SHARE, ("dimension", "group")), (WHOLE_SHARE, ("dimension",))):
            # Where nothing of the outcome has happened there is no series of it, and the share is 0.
            all_of_them = gauge("sum", GROUP_COUNT, by)
            befell = f"({gauge('sum', GROUP_COUNT, by, action=actions)} or {all_of_them} * 0)"
            rules.append(Recording(makes, f"{befell} / {all_of_them}", {"outcome": outcome}))
    whole = WHOLE_SHARE.name
    to_whole, to_group = "on (dimension, outcome) group_left ()", "on (dimension, group) group_left ()"
    rules.append(
        Recording(
            GROUP_Z,
            f"({GROUP_SHARE.name} - {to_whole} {whole}) / {to_whole} sqrt({whole} * (1 - {whole}))"
            f" * {to_group} sqrt({gauge('sum', GROUP_COUNT, ('dimension', 'group'))})",
        )
    )
    return Group("modstream-groups", "1m", rules)


RECORDING = (_slo(), _stages(), _mix(), _groups())
"""Groups of recording rules, each in the order in which its rules need one another."""
