"""What a metric is: a declaration that is its documentation, and the Prometheus instrument that is made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.metrics.histogram import Distribution, Histogram

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Metric:
    """Name (with its unit, and `_total` where it counts), what it means, and its labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CounterSpec(Metric):
    """A count that only rises."""


@dataclass(frozen=True, slots=True)
class GaugeSpec(Metric):
    """A value that rises and falls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramSpec(Metric):
    """A distribution."""

    buckets: tuple[float, ...]
    """Upper bounds in rising order, in the unit of the name; +Inf is added."""
    why: str
    """The reason for these buckets."""


Spec = CounterSpec | GaugeSpec | HistogramSpec


class Children(dict[tuple[str, ...], C], Generic[C]):
    """The children of one metric by their label values, made when first asked for: `children["ocr"].inc(32)`.

    A lookup is that of a dict. Threads may race for a new child; both get the same one.
    """

    def __init__(self, make: Callable[[tuple[str, ...]], C]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, values: tuple[str, ...]) -> C:
        child = self[values] = self._make(values)
        return child


class Instruments:
    """The instruments of a catalogue, in one registry. One object per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # A time of creation beside every counter doubles the series and nothing here reads it. This switch is of the
        # whole process, which is ours: modstream is an application.
        prometheus_client.disable_created_metrics()
        self.registry = registry

    def counter(self, spec: CounterSpec) -> Children[Counter]:
        counter = Counter(spec.name, spec.help, spec.labels, registry=self.registry)
        return Children(lambda values: counter.labels(*values) if values else counter)

    def gauge(self, spec: GaugeSpec) -> GaugeFamily:
        return GaugeFamily(Gauge(spec.name, spec.help, spec.labels, registry=self.registry))

    def histogram(self, spec: HistogramSpec) -> Children[Distribution]:
        histogram = Histogram(spec.name, spec.help, spec.labels, spec.buckets)
        self.registry.register(histogram)
        return Children(histogram.labels)


class GaugeFamily(Children[Gauge]):
    """Children of a gauge, which can be taken back: what is no longer there must not keep its last value."""

    def __init__(self, gauge: Gauge) -> None:
        super().__init__(lambda values: gauge.labels(*values) if values else gauge)
        self._gauge = gauge

    def forget(self, values: tuple[str, ...]) -> None:
        """Takes one child back; of one that is not there, nothing."""
        if self.pop(values, None) is not None:
            self._gauge.remove(*values)

    def forget_all(self) -> None:
        self.clear()
        self._gauge.clear()
