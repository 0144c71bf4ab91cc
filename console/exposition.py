"""A worker's metrics text as numbers: only the series that the page shows, and whatever the text is, no surprise."""

from __future__ import annotations

import math
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import catalogue

RECORDS = catalogue.STAGE_RECORDS.name
CONSUMED = catalogue.MESSAGES_CONSUMED.name
DECIDED = catalogue.POSTS_DECIDED.name
LATENCY = catalogue.END_TO_END_SECONDS.name
QUEUE = catalogue.QUEUE_SECONDS.name
COMPUTE = catalogue.COMPUTE_SECONDS.name
BATCH = catalogue.BATCH_ITEMS.name
STARTED = "process_start_time_seconds"
"""Of the client library: another value is another process, whose counters begin anew."""

_HISTOGRAMS = (LATENCY, QUEUE, COMPUTE)
_WANTED: dict[str, tuple[str, ...]] = {
    RECORDS: ("stage",),
    CONSUMED: ("topic",),
    DECIDED: ("action",),
    **{f"{name}_bucket": ("lane" if name == LATENCY else "stage", "le") for name in _HISTOGRAMS},
    f"{BATCH}_sum": ("stage",),
    f"{BATCH}_count": ("stage",),
    STARTED: (),
}
"""Sample -> the labels by which it is told apart; the others are summed over."""

MAX_SERIES = 5_000
"""Of one worker: stages, lanes and buckets make some 400; further ones are left out."""

MAX_LABEL_CHARS = 256

MAX_LINE_CHARS = 4096
"""A longer line is left out: ours have 200, and the parser's time grows with the square of a line's length."""

Series = tuple[str, ...]
"""A sample's name, then the values of its labels in `_WANTED`'s order."""


class BadMetrics(Exception):
    """What came is no metrics text; the message says where it breaks."""


def read_metrics(text: str) -> dict[Series, float]:
    """The value of each series that the page shows, summed over the labels that it does not. Raises `BadMetrics`."""
    # The library's parser is slow and thorough: it is given only the lines that matter.
    lines = "\n".join(line for line in text.splitlines() if len(line) <= MAX_LINE_CHARS and _name(line) in _WANTED)
    found: dict[Series, float] = {}
    try:
        for family in text_string_to_metric_families(lines + "\n"):
            for sample in family.samples:
                _add(found, sample.name, sample.labels, float(sample.value))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
        raise BadMetrics(f"its /metrics is no Prometheus text ({type(error).__name__})") from error
    return found


def _name(line: str) -> str:
    end = min((at for at in (line.find("{"), line.find(" "), line.find("\t")) if at >= 0), default=len(line))
    return line[:end]


def _add(found: dict[Series, float], name: str, labels: dict[str, str], value: float) -> None:
    wanted = _WANTED.get(name)
    if wanted is None or not math.isfinite(value) or value < 0:
        return
    series = (name, *(labels.get(label, "")[:MAX_LABEL_CHARS] for label in wanted))
    if series in found or len(found) < MAX_SERIES:
        found[series] = found.get(series, 0.0) + value


def bucket_bounds(series: Iterable[Series]) -> dict[Series, float]:
    """The upper bound of each series that is a bucket; those whose `le` is no number are left out."""
    bounds: dict[Series, float] = {}
    for one in series:
        if not one[0].endswith("_bucket"):
            continue
        try:
            bound = float(one[-1])
        except ValueError:
            continue
        if not math.isnan(bound):
            bounds[one] = bound
    return bounds
