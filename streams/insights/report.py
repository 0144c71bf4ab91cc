"""From counts to `insight/1`: shares, means, indices, and what is notable about them."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas import LABELS, MODALITIES, Action, Insight
from streams.insights.drift import histograms, is_score, psi
from streams.insights.groups import Group, Kind
from streams.insights.heavy import at_least
from streams.insights.observe import MILLI
from streams.insights.windows import MS, Closed, Drifted
from streams.settings import InsightSettings

DIGITS = 6
"""Of values: enough for one in a million, and few enough to read."""

TOTAL, LATE = "total", "late"


def insights_of(group: Group, closed: Closed | Drifted, settings: InsightSettings) -> Insight | None:
    """None where there is nothing to tell: no flood, or no scores."""
    if isinstance(closed, Drifted):
        return _drift(group, closed, settings)
    if group.kind is Kind.FLOODS:
        return _floods(group, closed, settings)
    counts = {name: count for name, count in closed.window.counts.items() if _is_shown(name)}
    if closed.late:
        counts[LATE] = closed.late
    return _insight(group, group.kind, closed, counts=counts, values=_values(group.kind, closed))


def _is_shown(name: str) -> bool:
    return not is_score(name) and not name.endswith(".milli")


def _values(kind: Kind, closed: Closed) -> dict[str, float]:
    counts = closed.window.counts
    total = counts.get(TOTAL, 0)
    values = {"per_second": total / ((closed.end_ms - closed.start_ms) / MS)}
    if kind is Kind.DECISIONS and total:
        values |= {f"rate.{action}": counts.get(f"action.{action}", 0) / total for action in Action}
        values["confidence"] = counts.get("confidence.milli", 0) / MILLI / total
        for label in LABELS:
            if assessed := counts.get(f"assessed.{label}", 0):
                values[f"rate.{label}"] = counts.get(f"label.{label}", 0) / assessed
    elif kind is Kind.CONFIDENCE:
        for modality in MODALITIES:
            if measured := counts.get(f"{modality}.measured", 0):
                values[f"confidence.{modality}"] = counts.get(f"{modality}.milli", 0) / MILLI / measured
    return values


def _drift(group: Group, drifted: Drifted, settings: InsightSettings) -> Insight | None:
    now, before = histograms(drifted.scores), histograms(drifted.reference)
    if not now:
        return None
    counts: dict[str, int] = {}
    values: dict[str, float] = {}
    for label, scores in now.items():
        counts[f"scores.{label}"] = sum(scores)
        counts[f"reference.{label}"] = sum(before.get(label, ()))
        if min(counts[f"scores.{label}"], counts[f"reference.{label}"]) >= settings.drift_min_scores:
            values[f"psi.{label}"] = psi(scores, before[label])
    notable = [name for name, value in values.items() if round(value, DIGITS) >= settings.drift_moderate]
    notable += [f"{name}.major" for name, value in values.items() if round(value, DIGITS) >= settings.drift_major]
    return _insight(group, "drift", drifted, counts=counts, values=values, notable=notable)


def _floods(group: Group, closed: Closed, settings: InsightSettings) -> Insight | None:
    sure = at_least(closed.window.counts, closed.window.errors)
    floods = [(name, count) for name, count in sure.items() if count >= settings.flood_posts]
    largest = dict(sorted(floods, key=lambda flood: (-flood[1], flood[0]))[: settings.flood_top])
    if not largest:
        return None
    examples = {name: closed.window.examples[name] for name in largest if name in closed.window.examples}
    counts = largest | ({LATE: closed.late} if closed.late else {})
    return _insight(group, group.kind, closed, counts=counts, examples=examples, notable=list(largest))


def _insight(
    group: Group,
    kind: str,
    span: Closed | Drifted,
    *,
    counts: dict[str, int],
    values: dict[str, float] | None = None,
    examples: dict[str, str] | None = None,
    notable: list[str] | None = None,
) -> Insight:
    return Insight(
        kind=kind,  # pyright: ignore[reportArgumentType] (the kinds of groups, and drift)
        window_start=datetime.fromtimestamp(span.start_ms / MS, UTC),
        window_end=datetime.fromtimestamp(span.end_ms / MS, UTC),
        dimensions=group.dimensions,
        counts=dict(sorted(counts.items())),
        values={name: round(value, DIGITS) for name, value in sorted((values or {}).items())},
        examples=examples or {},
        notable=tuple(sorted(notable or ())),
    )
