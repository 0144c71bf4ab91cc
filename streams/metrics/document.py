"""The catalogue as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from streams.metrics.catalogue import SECTIONS
from streams.metrics.specs import CounterSpec, GaugeSpec, HistogramSpec, Spec

_HEAD = """\
# Metrics

<!-- Written by `python -m streams.metrics --write` from streams/metrics/catalogue.py: change it there. -->

Every worker serves these at `/metrics`, in Prometheus' text format and, to a client that accepts it, in OpenMetrics.
Label values that come from posts are bounded: tenants, languages and regions that the settings under `metrics` do not
list are `other`, and missing ones `none`. Beside them are the client library's own `process_…` metrics (memory, CPU,
file descriptors).
"""

_KINDS: dict[type[Spec], str] = {CounterSpec: "counter", GaugeSpec: "gauge", HistogramSpec: "histogram"}


def render() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for title, specs in SECTIONS.items():
        yield f"## {title}\n"
        yield "| metric | kind | labels | meaning |"
        yield "| --- | --- | --- | --- |"
        for spec in specs:
            labels = ", ".join(f"`{label}`" for label in spec.labels) or "–"
            yield f"| `{spec.name}` | {_KINDS[type(spec)]} | {labels} | {spec.help} |"
        yield ""
        histograms = [spec for spec in specs if isinstance(spec, HistogramSpec)]
        if histograms:
            yield "Buckets (upper bounds, and why these):\n"
            for spec in histograms:
                yield f"* `{spec.name}`: {', '.join(f'{bound:.10g}' for bound in spec.buckets)}: {spec.why}."
            yield ""
