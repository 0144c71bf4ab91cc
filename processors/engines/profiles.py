"""Shape buckets of an engine that is built ahead: which shapes it takes, and which bucket a run belongs to.

Nothing here knows TensorRT: what it calls an optimisation profile is a range of shapes for every input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from processors.engines.engine import EngineError, TensorSpec

Shape = tuple[int, ...]


class ShapeRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shapes of one input, dimension by dimension: `least` and `most` are included."""

    least: Shape
    best: Shape
    """What the engine is tuned for."""
    most: Shape

    def __contains__(self, shape: Shape) -> bool:
        if len(shape) != len(self.most):
            return False
        return all(low <= size <= high for low, size, high in zip(self.least, shape, self.most, strict=True))

    def __str__(self) -> str:
        sizes = zip(self.least, self.most, strict=True)
        return "x".join(str(low) if low == high else f"{low}..{high}" for low, high in sizes)

    @property
    def volume(self) -> int:
        return math.prod(self.most)


Profile = Mapping[str, ShapeRange]
"""Input -> its shapes in this bucket; an input of a fixed shape stands there too."""


def problems(profile: Profile, inputs: Sequence[TensorSpec]) -> Iterator[str]:
    """What keeps a bucket from being one of a graph with these inputs."""
    if odd := set(profile) ^ {spec.name for spec in inputs}:
        yield f"expected a range for every input and no more; missing or too many: {', '.join(sorted(odd))}"
        return
    for spec in inputs:
        found = profile[spec.name]
        if not len(found.least) == len(found.best) == len(found.most) == len(spec.shape):
            yield f"{spec.name}: {found}; expected {len(spec.shape)} dimensions"
            continue
        for at, size in enumerate(spec.shape):
            low, best, high = found.least[at], found.best[at], found.most[at]
            if not 1 <= low <= best <= high:
                yield f"{spec.name}[{at}]: {low}, {best}, {high}; expected 1 <= least <= best <= most"
            elif size is not None and (low, high) != (size, size):
                yield f"{spec.name}[{at}]: {low}..{high}; the graph has {size} there"


def choose(profiles: Sequence[Profile], shapes: Mapping[str, Shape]) -> int:
    """The smallest bucket that takes these shapes; the first of equals. Raises `EngineError` where none does."""
    fitting = [
        (sum(found.volume for found in profile.values()), at)
        for at, profile in enumerate(profiles)
        if profile.keys() == shapes.keys() and all(shapes[name] in found for name, found in profile.items())
    ]
    if not fitting:
        wanted = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in sorted(shapes.items()))
        known = "; ".join(", ".join(f"{name} {found}" for name, found in sorted(one.items())) for one in profiles)
        raise EngineError(f"no bucket takes {wanted}; expected one of: {known}")
    return min(fitting)[1]
