"""Offset maps against the plainest model there is: for each code point of a view, the span it stands for."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import OffsetMap, OffsetMapBuilder

Span = tuple[int, int]
Edit = tuple[str, int, int]


def apply(edits: list[Edit]) -> tuple[OffsetMap, list[Span]]:
    """The map that the edits make, and the span of each code point of the view."""
    builder, spans, original = OffsetMapBuilder(), list[Span](), 0
    for kind, view, count in edits:
        if kind == "copy":
            builder.copy(count)
            spans += [(original + k, original + k + 1) for k in range(count)]
        elif kind == "drop":
            builder.drop(count)
        else:
            builder.replace(view, count)
            spans += [(original, original + count)] * view
        original += count
    return builder.build(), spans


EDITS = st.lists(
    st.tuples(st.just("copy"), st.just(0), st.integers(0, 5))
    | st.tuples(st.just("drop"), st.just(0), st.integers(0, 3))
    | st.tuples(st.just("replace"), st.integers(0, 4), st.integers(1, 4)),
    max_size=12,
)


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[Edit], list[Edit]]:
    """Edits of an original, and edits of the view that these make."""
    first = draw(EDITS)
    left = len(apply(first)[1])
    second: list[Edit] = []
    for kind, view, count in draw(EDITS):
        taken = min(count, left)
        if taken:
            second.append((kind, view, taken))
            left -= taken
    second.append(("copy", 0, left))
    return first, second


def cover(spans: list[Span]) -> Span:
    return min(start for start, _ in spans), max(end for _, end in spans)


@given(EDITS, st.data())
def test_a_span_maps_to_the_smallest_span_that_covers_it(edits: list[Edit], data: st.DataObject) -> None:
    offsets, spans = apply(edits)
    assert offsets.view_length == len(spans)
    start = data.draw(st.integers(0, len(spans)))
    end = data.draw(st.integers(start, len(spans)))
    found = offsets.to_original(start, end)
    if start < end:
        assert found == cover(spans[start:end])
    else:
        assert found[0] == found[1]
        assert 0 <= found[0] <= offsets.original_length


@given(EDITS)
def test_maps_keep_the_order_of_the_text(edits: list[Edit]) -> None:
    offsets, spans = apply(edits)
    ends = [offsets.to_original(at, at) for at in range(len(spans) + 1)]
    assert ends == sorted(ends)


@given(chains(), st.data())
def test_composed_maps_lead_where_one_after_the_other_leads(
    chain: tuple[list[Edit], list[Edit]], data: st.DataObject
) -> None:
    base, _ = apply(chain[0])
    view, spans = apply(chain[1])
    composed = view.compose(base)
    assert (composed.original_length, composed.view_length) == (base.original_length, view.view_length)
    if spans:
        start = data.draw(st.integers(0, len(spans) - 1))
        end = data.draw(st.integers(start + 1, len(spans)))
        assert composed.to_original(start, end) == base.to_original(*view.to_original(start, end))


@given(EDITS)
def test_an_identity_changes_nothing_in_a_composition(edits: list[Edit]) -> None:
    offsets, _ = apply(edits)
    assert offsets.compose(OffsetMap.identity(offsets.original_length)) == offsets
    assert OffsetMap.identity(offsets.view_length).compose(offsets) == offsets


@given(EDITS)
def test_maps_survive_msgpack_and_json(edits: list[Edit]) -> None:
    offsets, _ = apply(edits)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(offsets), type=OffsetMap) == offsets
    assert msgspec.json.decode(msgspec.json.encode(offsets), type=OffsetMap) == offsets


def test_a_text_that_did_not_change_needs_a_few_bytes() -> None:
    builder = OffsetMapBuilder()
    for _ in range(100):
        builder.copy(10)
        builder.replace(1, 1)
    assert builder.build() == OffsetMap.identity(1100)
    assert len(msgspec.msgpack.encode(OffsetMap.identity(2_000_000))) <= 16


def test_a_placeholder_stands_for_the_whole_that_it_replaced() -> None:
    builder = OffsetMapBuilder()
    builder.copy(4)  # "see "
    builder.replace(5, 20)  # an address -> "[URL]"
    builder.copy(3)
    offsets = builder.build()
    assert offsets.to_original(5, 6) == (4, 24)
    assert offsets.to_original(9, 12) == (24, 27)


def test_what_was_dropped_inside_a_span_is_covered_and_at_its_edges_is_not() -> None:
    builder = OffsetMapBuilder()
    builder.drop(2)
    builder.copy(1)
    builder.drop(3)
    builder.copy(1)
    builder.drop(2)
    assert builder.build().to_original(0, 2) == (2, 7)


@pytest.mark.parametrize("span", [(-1, 0), (0, 4), (2, 1), (4, 4)])
def test_a_span_outside_the_view_is_an_error(span: Span) -> None:
    with pytest.raises(ValueError, match="does not lie in a view of 3"):
        OffsetMap.identity(3).to_original(*span)


def test_maps_that_do_not_meet_are_not_composed() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        OffsetMap.identity(3).compose(OffsetMap.identity(4))


def test_nothing_in_a_view_stands_for_nothing() -> None:
    with pytest.raises(ValueError, match="neighbour"):
        OffsetMapBuilder().replace(1, 0)


@pytest.mark.parametrize("value", [[3, 3, [0], [], []], [3, 3, [1], [0], [0]], [3, 2], [3]])
def test_a_broken_map_is_not_decoded(value: list[object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=OffsetMap)
