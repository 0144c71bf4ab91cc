"""PromQL over specs of the catalogue: a metric that is renamed, or a label that it does not have, cannot be missed.

Every function returns an expression in text. `by` and the matchers name labels of the metric, or one of those that
Prometheus adds to each (`job`, `instance`); anything else is a ValueError when the rules are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client.utils import floatToGoString  # pyright: ignore[reportUnknownVariableType]

from streams.metrics.specs import CounterSpec, GaugeSpec, HistogramSpec, Spec

TARGET_LABELS = frozenset({"job", "instance"})
"""What Prometheus adds to every series that it scrapes."""


class Matcher(NamedTuple):
    """How a label's value is chosen."""

    operator: str
    value: str


def is_(value: str) -> Matcher:
    return Matcher("=", value)


def is_not(value: str) -> Matcher:
    return Matcher("!=", value)


def like(pattern: str) -> Matcher:
    """A regular expression (RE2) for the whole value."""
    return Matcher("=~", pattern)


def unlike(pattern: str) -> Matcher:
    return Matcher("!~", pattern)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording rule makes. `name` is `modstream:<what>:<how>`, as Prometheus' own conventions have it."""

    name: str
    labels: tuple[str, ...] = ()


Source = Spec | Recorded


def select(source: Source, suffix: str = "", /, **matchers: Matcher) -> str:
    """The series of a metric. `suffix` is that of a histogram's parts."""
    known = {*source.labels, *TARGET_LABELS, *(("le",) if suffix == "_bucket" else ())}
    if strange := matchers.keys() - known:
        raise ValueError(f"{source.name} has no label {sorted(strange)}")
    if isinstance(source, HistogramSpec) != bool(suffix):
        raise ValueError(f"{source.name}: a histogram is read by _bucket, _sum or _count, and nothing else is")
    inner = ",".join(f'{label}{matcher.operator}"{_escaped(matcher.value)}"' for label, matcher in matchers.items())
    return f"{source.name}{suffix}{{{inner}}}" if inner else f"{source.name}{suffix}"


def rate(source: CounterSpec, window: str, by: Sequence[str] = (), /, **matchers: Matcher) -> str:
    """Events a second."""
    return total(f"rate({select(source, **matchers)}[{window}])", _checked(source, by))


def increase(source: CounterSpec, window: str, by: Sequence[str] = (), /, **matchers: Matcher) -> str:
    """Events in the window."""
    return total(f"increase({select(source, **matchers)}[{window}])", _checked(source, by))


def gauge(how: str, source: GaugeSpec | Recorded, by: Sequence[str] = (), /, **matchers: Matcher) -> str:
    """`how` (`sum`, `max`, `min`, `avg`) of the values now."""
    return _aggregated(how, select(source, **matchers), _checked(source, by))


def count_rate(source: HistogramSpec, window: str, by: Sequence[str] = (), /, **matchers: Matcher) -> str:
    """Observations a second."""
    return total(f"rate({select(source, '_count', **matchers)}[{window}])", _checked(source, by))


def sum_rate(source: HistogramSpec, window: str, by: Sequence[str] = (), /, **matchers: Matcher) -> str:
    """What the observations add up to, a second."""
    return total(f"rate({select(source, '_sum', **matchers)}[{window}])", _checked(source, by))


def mean(source: HistogramSpec, window: str, by: Sequence[str] = (), /, **matchers: Matcher) -> str:
    """The mean observation."""
    return f"{sum_rate(source, window, by, **matchers)} / {count_rate(source, window, by, **matchers)}"


def quantile(q: float, source: HistogramSpec, window: str, by: Sequence[str] = (), /, **matchers: Matcher) -> str:
    """The q-quantile, as far as the buckets tell it."""
    series = f"rate({select(source, '_bucket', **matchers)}[{window}])"
    return f"histogram_quantile({q:g}, {total(series, (*_checked(source, by), 'le'))})"


def share_above(source: HistogramSpec, bound: float, window: str, /, **matchers: Matcher) -> str:
    """The share of observations above `bound`, which must be one of the histogram's buckets."""
    below = _below(source, bound, **matchers)
    return f"1 - {total(f'rate({below}[{window}])')} / {count_rate(source, window, **matchers)}"


def observations_above(source: HistogramSpec, bound: float, window: str, /, **matchers: Matcher) -> str:
    """Their number in the window."""
    everything = total(f"increase({select(source, '_count', **matchers)}[{window}])")
    return f"{everything} - {total(f'increase({_below(source, bound, **matchers)}[{window}])')}"


def risen(source: CounterSpec, window: str, by: Sequence[str], /, **matchers: Matcher) -> str:
    """Where anything was counted in the window, also where the series is new: `increase` needs two values of it."""
    ever = total(select(source, **matchers), _checked(source, by))
    before = total(f"{select(source, **matchers)} offset {window}", by)
    return f"({increase(source, window, by, **matchers)} > 0 or ({ever} > 0 unless {before}))"


def total(expression: str, by: Sequence[str] = ()) -> str:
    return _aggregated("sum", expression, by)


def or_zero(expression: str) -> str:
    """0 where there is no series yet, for an expression without labels."""
    return f"({expression} or vector(0))"


def _below(source: HistogramSpec, bound: float, /, **matchers: Matcher) -> str:
    if bound not in source.buckets:
        raise ValueError(f"{source.name} has no bucket {bound:g}: expected one of {source.buckets}")
    return select(source, "_bucket", **matchers, le=is_(floatToGoString(bound)))


def _aggregated(how: str, expression: str, by: Sequence[str]) -> str:
    return f"{how} by ({', '.join(by)}) ({expression})" if by else f"{how}({expression})"


def _checked(source: Source, by: Sequence[str]) -> Sequence[str]:
    if strange := set(by) - {*source.labels, *TARGET_LABELS}:
        raise ValueError(f"{source.name} has no label {sorted(strange)}")
    return by


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
