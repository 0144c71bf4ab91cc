"""Is the chain well? Objectives, traffic, lag, and what went wrong."""

from __future__ import annotations

from streams.metrics import catalogue
from streams.watch import alerts, foreign, recording
from streams.watch.legends import QUANTILES, by_labels
from streams.watch.objectives import AVAILABILITY, LATENCY, LATENCY_S, OBJECTIVES, Objective
from streams.watch.panels import INTERVAL, Dashboard, Panel, Query, Row
from streams.watch.promql import gauge, increase, is_, quantile, rate, select


def overview() -> Dashboard:
    now = [
        _stat("Posts decided", rate(catalogue.POSTS_DECIDED, INTERVAL), "reqps", "Decisions committed a second."),
        _stat(
            "Latency p95, text",
            _latency("standard", "text")[1].expression,
            "s",
            f"Standard lane, from publishing to the readable decision. Objective: {LATENCY.what}.",
            ("red", LATENCY_S),
        ),
        _stat(
            "Late, last hour",
            recording.errors(LATENCY.name, "1h").name,
            "percentunit",
            f"Share of text posts that took longer than {LATENCY_S:g} s.",
            ("red", LATENCY.budget),
        ),
        _stat(
            "Lost, last hour",
            recording.errors(AVAILABILITY.name, "1h").name,
            "percentunit",
            "Share of posts that were given up by a fault that is not their sender's.",
            ("red", AVAILABILITY.budget),
        ),
        _stat(
            "Furthest behind",
            f"max({recording.LAG_SECONDS.name})",
            "s",
            "Age of the oldest message that is not decided, of all topics. Retry topics wait by design, up to 10 min.",
            ("red", alerts.LAG_S),
        ),
        _stat("Workers up", f"sum({select(foreign.UP, job=is_(foreign.JOB))})", "none", "That Prometheus reaches."),
    ]
    return Dashboard(
        "modstream-overview",
        "modstream: overview",
        "Is the chain well?",
        [
            Row("Now", now),
            Row(
                "Objectives",
                [
                    Panel(
                        "Latency of text, standard lane",
                        _latency("standard", "text"),
                        "s",
                        f"Objective: {LATENCY.what}.",
                        marks=[("red", LATENCY_S)],
                    ),
                    Panel(
                        "Latency p95 by lane and kind",
                        [
                            Query(
                                quantile(0.95, catalogue.END_TO_END_SECONDS, INTERVAL, ("lane", "kind")),
                                by_labels(catalogue.END_TO_END_SECONDS, "lane", "kind"),
                            )
                        ],
                        "s",
                        "Media take as long as they last; only text has an objective.",
                    ),
                    Panel(
                        "Burn rate of the error budgets, last hour",
                        [_burnt(objective) for objective in OBJECTIVES],
                        "short",
                        "1 uses a budget up in exactly 30 days; at 6 and 14.4 somebody is called.",
                        marks=[("orange", 6.0), ("red", 14.4)],
                    ),
                ],
            ),
            Row(
                "Traffic",
                [
                    Panel(
                        "Messages in, by topic",
                        [
                            Query(
                                rate(catalogue.MESSAGES_CONSUMED, INTERVAL, ("topic", "lane")),
                                by_labels(catalogue.MESSAGES_CONSUMED, "topic", "lane"),
                            )
                        ],
                        "reqps",
                        "Taken from Kafka, repeats among them.",
                    ),
                    Panel(
                        "Messages out, by topic",
                        [Query(rate(catalogue.OUTPUTS, INTERVAL, ("topic",)), by_labels(catalogue.OUTPUTS, "topic"))],
                        "reqps",
                        "Produced and committed.",
                    ),
                    Panel(
                        "Decisions",
                        [Query(rate(catalogue.POSTS_DECIDED, INTERVAL, ("action",)), "{{action}}")],
                        "reqps",
                        "Committed decisions by action.",
                        stacked=True,
                    ),
                    Panel(
                        "Lag in messages",
                        [Query(recording.LAG_MESSAGES.name, "{{topic}}")],
                        "short",
                        "After the last committed message, as the workers that read a topic see it.",
                    ),
                    Panel(
                        "Lag in seconds",
                        [Query(recording.LAG_SECONDS.name, "{{topic}}")],
                        "s",
                        "Age of the oldest message that is not decided.",
                        marks=[("red", alerts.LAG_S)],
                    ),
                    Panel(
                        "Posts deleted",
                        [Query(rate(catalogue.POSTS_DELETED, INTERVAL), "deleted")],
                        "reqps",
                        "Tombstones committed.",
                    ),
                ],
            ),
            Row(
                "What went wrong",
                [
                    Panel(
                        "Dead letters, by cause",
                        [
                            Query(
                                increase(catalogue.DEAD_LETTERS, INTERVAL, ("stage", "cause")),
                                by_labels(catalogue.DEAD_LETTERS, "stage", "cause"),
                            )
                        ],
                        "short",
                        "`invalid_post` is a sender's fault, every other cause is ours.",
                    ),
                    Panel(
                        "Retries",
                        [
                            Query(
                                increase(catalogue.RETRIES, INTERVAL, ("stage", "delay")),
                                by_labels(catalogue.RETRIES, "stage", "delay"),
                            )
                        ],
                        "short",
                        "Faults that may pass, by the delay they wait for.",
                    ),
                    Panel(
                        "Workers that are not ready",
                        [
                            Query(
                                f"count by (condition) ({select(catalogue.READY_STATE)} == 0)"
                                f" or 0 * {gauge('min', catalogue.READY_STATE, ('condition',))}",
                                by_labels(catalogue.READY_STATE, "condition"),
                            )
                        ],
                        "short",
                        "By the condition that does not hold.",
                    ),
                ],
            ),
        ],
    )


def _burnt(objective: Objective) -> Query:
    """How fast the budget is used up: 1 lasts exactly the month."""
    return Query(f"{recording.errors(objective.name, '1h').name} / {objective.budget:g}", objective.name)


def _stat(title: str, expression: str, unit: str, description: str, *marks: tuple[str, float]) -> Panel:
    return Panel(title, [Query(expression, title)], unit, description, kind="stat", width=4, height=4, marks=marks)


def _latency(lane: str, kind: str) -> list[Query]:
    chosen = {"lane": is_(lane), "kind": is_(kind)}
    return [
        Query(quantile(q, catalogue.END_TO_END_SECONDS, INTERVAL, (), **chosen), f"p{q * 100:g}") for q in QUANTILES
    ]
