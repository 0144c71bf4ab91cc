"""A run goes to the smallest bucket that takes it, and to none that does not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.engines import EngineError, TensorSpec
from processors.engines.profiles import ShapeRange, choose, problems
from tests.tiny_engine import PROFILES, tokens


def shapes(rows: int, count: int) -> dict[str, tuple[int, ...]]:
    return {"ids": (rows, count), "mask": (rows, count)}


@given(st.integers(1, 4), st.integers(1, 16))
def test_every_shape_within_a_bucket_finds_one_that_takes_it(rows: int, count: int) -> None:
    at = choose(PROFILES, shapes(rows, count))
    assert at == (0 if count <= 8 else 1)


def test_of_several_buckets_that_take_a_shape_the_smallest_runs_it() -> None:
    nested = [{"x": tokens(1, high)} for high in (64, 16, 32)]
    assert choose(nested, {"x": (1, 20)}) == 2


@pytest.mark.parametrize("wanted", [shapes(5, 8), shapes(1, 17), {"ids": (1, 8)}, {"ids": (1, 8), "mask": (1, 9)}])
def test_a_shape_beyond_every_bucket_is_an_error_that_names_them(wanted: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(EngineError, match=r"no bucket takes ids .* ids 1\.\.4x1\.\.8, mask 1\.\.4x1\.\.8; ids"):
        choose(PROFILES, wanted)


@pytest.mark.parametrize(
    ("least", "most", "reason"),
    [
        ((1, 3, 1), (4, 3, 8), None),
        ((1, 2, 1), (4, 3, 8), r"x\[1\]: 2..3; the graph has 3 there"),
        ((0, 3, 1), (4, 3, 8), r"x\[0\]: 0, 4, 4; expected 1 <= least"),
        ((1, 3), (4, 3), "expected 3 dimensions"),
    ],
)
def test_a_bucket_must_be_one_of_the_graph(least: tuple[int, ...], most: tuple[int, ...], reason: str | None) -> None:
    found = list(
        problems({"x": ShapeRange(least=least, best=most, most=most)}, [TensorSpec("x", "f", (None, 3, None))])
    )
    assert [re.search(reason or "$^", one) is not None for one in found] == ([True] if reason else [])


def test_a_bucket_names_every_input_of_the_graph() -> None:
    [reason] = problems({"ids": tokens(1, 8)}, [TensorSpec(name, "int64", (None, None)) for name in ("ids", "mask")])
    assert reason.endswith("missing or too many: mask")
