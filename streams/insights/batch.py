"""The same insights from all messages at once: what the agents' windows must come to, whatever happened on the way.

Written apart from the windows: it knows no state, no watermark, no order. `modstream insights` is tested against it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from schemas import Insight
from streams.insights.drift import only_scores
from streams.insights.groups import Group, Kind
from streams.insights.observe import Message, Observer
from streams.insights.report import insights_of
from streams.insights.windows import MS, Closed, Drifted, Window
from streams.settings import InsightSettings, MetricSettings


def recompute(
    messages: Iterable[Message], settings: InsightSettings, metrics: MetricSettings | None = None
) -> dict[str, Insight]:
    """Key -> insight, over whole messages of any of the sources, in any order, none of which is late.

    Floods are exact here; the agents' are where a shard has seen at most `flood_capacity` names in the window.
    """
    observer = Observer(MetricSettings() if metrics is None else metrics)
    counts: defaultdict[tuple[Group, int], Counter[str]] = defaultdict(Counter)
    examples: defaultdict[tuple[Group, int], dict[str, str]] = defaultdict(dict)
    for message in messages:
        for group, seen in observer.observe(message):
            at = group, seen.at_ms // (settings.window_s * MS)
            counts[at].update(seen.counts)
            for name, post_id in seen.examples.items():
                examples[at][name] = min(post_id, examples[at].get(name, post_id))
    spans: list[tuple[Group, Closed | Drifted]] = []
    for (group, index), found in counts.items():
        window = Window(dict(found), {}, examples[group, index])
        start_s = index * settings.window_s
        spans.append((group, Closed(start_s * MS, (start_s + settings.window_s) * MS, window, late=0)))
    spans += _drifts(counts, settings)
    insights = [insights_of(group, span, settings) for group, span in spans]
    return {insight.key: insight for insight in insights if insight is not None}


def _drifts(
    counts: dict[tuple[Group, int], Counter[str]], settings: InsightSettings
) -> list[tuple[Group, Closed | Drifted]]:
    windows: defaultdict[Group, dict[int, Counter[str]]] = defaultdict(dict)
    for (group, index), found in counts.items():
        if group.kind is Kind.DECISIONS:
            start_s = index * settings.window_s // settings.drift_window_s * settings.drift_window_s
            windows[group].setdefault(start_s, Counter()).update(only_scores(found))
    drifts: list[tuple[Group, Closed | Drifted]] = []
    for group, scores in windows.items():
        for start_s, now in scores.items():
            earlier = {
                at // settings.reference_s
                for at in scores
                if at // settings.reference_s < start_s // settings.reference_s
            }
            reference: Counter[str] = Counter()
            for at, before in scores.items():
                if earlier and at // settings.reference_s == max(earlier):
                    reference.update(before)
            end_s = start_s + settings.drift_window_s
            drifts.append((group, Drifted(start_s * MS, end_s * MS, dict(now), dict(reference))))
    return drifts
