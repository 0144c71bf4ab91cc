"""What does the chain decide, and for whom? The mix and its drift, confidence, groups, experiments."""

from __future__ import annotations

from streams.metrics import catalogue
from streams.metrics.catalogue import CATALOGUE
from streams.metrics.specs import CounterSpec, HistogramSpec, Spec
from streams.watch import alerts, recording
from streams.watch.legends import by_labels
from streams.watch.panels import INTERVAL, Dashboard, Panel, Query, Row
from streams.watch.promql import count_rate, gauge, increase, mean, rate, select

EXPERIMENTS = ("modstream_shadow_", "modstream_canary_")
"""Metrics of a second pack or policy: whatever the catalogue has of them is shown."""


def decisions() -> Dashboard:
    share, whole = recording.GROUP_SHARE, recording.WHOLE_SHARE
    mix = f"{recording.DECISIONS_RATE.name} / on () group_left () sum({recording.DECISIONS_RATE.name})"
    rows = [
        Row(
            "Mix",
            [
                Panel(
                    "Decision mix", [Query(mix, "{{action}}")], "percentunit", "Shares of the actions.", stacked=True
                ),
                Panel(
                    "Drift of the mix",
                    [Query(recording.DRIFT.name, "last hour against the day before")],
                    "short",
                    "Population stability index: below 0.1 nothing has changed, above 0.25 much has. Needs "
                    "more than an hour of history.",
                    marks=[("orange", alerts.DRIFT_PSI), ("red", 0.25)],
                ),
                Panel(
                    "Mean confidence",
                    [
                        Query(mean(catalogue.DECISION_CONFIDENCE, INTERVAL, ("action",)), "{{action}}"),
                        Query(mean(catalogue.DECISION_CONFIDENCE, INTERVAL), "all"),
                    ],
                    "percentunit",
                    "Of the decisions, by action.",
                ),
                Panel(
                    "Mean confidence by modality",
                    [Query(mean(catalogue.MODALITY_CONFIDENCE, INTERVAL, ("modality",)), "{{modality}}")],
                    "percentunit",
                    "Of what an expert judged.",
                ),
                Panel(
                    "What was judged",
                    [Query(count_rate(catalogue.MODALITY_CONFIDENCE, INTERVAL, ("modality",)), "{{modality}}")],
                    "reqps",
                    "Modalities with a confidence, a second.",
                ),
                Panel(
                    "What could not be read",
                    [
                        Query(
                            increase(catalogue.MODALITY_FAILURES, INTERVAL, ("modality", "code")),
                            by_labels(catalogue.MODALITY_FAILURES, "modality", "code"),
                        )
                    ],
                    "short",
                    "Modalities that were `failed`, `partial` or `unsafe`; their posts are at least reviewed.",
                ),
            ],
        ),
        Row("Groups", _group_panels()),
        Row(
            "Bias, last six hours",
            [
                Panel(
                    "How many times as often as all",
                    [
                        Query(
                            f"{share.name} / on (dimension, outcome) group_left () {whole.name}",
                            by_labels(share, "dimension", "group", "outcome"),
                        )
                    ],
                    "short",
                    f"Alerts above {alerts.BIAS_RATIO:g} and below its inverse, where it is sure.",
                    width=12,
                ),
                Panel(
                    "How sure",
                    [Query(recording.GROUP_Z.name, by_labels(recording.GROUP_Z, "dimension", "group", "outcome"))],
                    "short",
                    f"z of one proportion; sure beyond {alerts.BIAS_Z:g}, either way, from {alerts.BIAS_POSTS} posts "
                    "on. Copies of one post are no independent posts: look for a flood first.",
                    width=12,
                    signed=True,
                ),
            ],
        ),
        Row(
            "What runs",
            [
                Panel(
                    "Policy rules that fail",
                    [
                        Query(
                            increase(catalogue.POLICY_ERRORS, INTERVAL, ("role", "rule")),
                            by_labels(catalogue.POLICY_ERRORS, "role", "rule"),
                        )
                    ],
                    "short",
                    "The posts they fail on are reviewed. Empty while none does.",
                ),
                Panel(
                    "Versions",
                    [
                        Query(f"count by (version, python) ({select(catalogue.BUILD_INFO)})", ""),
                        Query(f"count by (pack) ({select(catalogue.PACK_INFO)})", ""),
                        Query(f"count by (policy, role) ({select(catalogue.POLICY_INFO)})", ""),
                    ],
                    "none",
                    "Workers with each version, model pack and policy: more than one line of each is a rollout.",
                    kind="table",
                    width=16,
                ),
            ],
        ),
    ]
    if experiments := [_plain(spec) for spec in CATALOGUE if spec.name.startswith(EXPERIMENTS)]:
        rows.append(Row("Shadow and canary", experiments))
    return Dashboard("modstream-decisions", "modstream: decisions", "What does the chain decide, and for whom?", rows)


def _group_panels() -> list[Panel]:
    found: list[Panel] = []
    for dimension, label in recording.DIMENSIONS.items():
        for outcome, actions in recording.OUTCOMES.items():
            found.append(
                Panel(
                    f"{outcome.capitalize()}, by {dimension}",
                    [
                        Query(
                            f"{rate(catalogue.POSTS_DECIDED, '1h', (label,), action=actions)}"
                            f" / {rate(catalogue.POSTS_DECIDED, '1h', (label,))}",
                            by_labels(catalogue.POSTS_DECIDED, label),
                        )
                    ],
                    "percentunit",
                    "Share of the last hour's posts. Groups that the settings do not list are `other`.",
                    width=12,
                )
            )
    return found


def _plain(spec: Spec) -> Panel:
    """A metric as it is: a counter a second, a histogram's mean, a gauge's greatest value."""
    legend = by_labels(spec, *spec.labels) or spec.name
    match spec:
        case CounterSpec():
            expression, unit = rate(spec, INTERVAL, spec.labels), "reqps"
        case HistogramSpec():
            expression, unit = mean(spec, INTERVAL, spec.labels), "short"
        case _:
            expression, unit = gauge("max", spec, spec.labels), "short"
    title = spec.name.removeprefix("modstream_").removesuffix("_total").replace("_", " ").capitalize()
    return Panel(title, [Query(expression, legend)], unit, spec.help)
