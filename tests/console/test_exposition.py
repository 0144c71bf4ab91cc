"""A worker's text, whoever wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.exposition import MAX_LINE_CHARS, MAX_SERIES, RECORDS, BadMetrics, read_metrics


def test_only_what_is_shown_is_read_and_other_labels_are_summed_over() -> None:
    text = """
# HELP modstream_posts_decided_total x
modstream_posts_decided_total{action="block",tenant="a",lang="en",region="none"} 2.0
modstream_posts_decided_total{action="block",tenant="b",lang="de",region="none"} 3.0
python_info{version="3.11"} 1.0
"""
    assert read_metrics(text) == {("modstream_posts_decided_total", "block"): 5.0}


@pytest.mark.parametrize(
    "line",
    [
        RECORDS,
        RECORDS + "{",
        RECORDS + '{stage="encode} 1',
        RECORDS + '{stage="encode"} one',
        RECORDS + "{stage=encode} 1",
        RECORDS + '{stage="a",stage="b"} 1',
    ],
)
def test_what_is_no_metrics_text_is_said_to_be_none(line: str) -> None:
    with pytest.raises(BadMetrics, match="no Prometheus text"):
        read_metrics(line)


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str, labels: str) -> None:
    for hostile in (text, f"{RECORDS}{{{labels}}} {text}", f"{RECORDS} {text}"):
        try:
            found = read_metrics(hostile)
        except BadMetrics:
            continue
        assert all(value >= 0 for value in found.values())


def test_a_line_without_end_is_left_out_for_its_parsing_has_none_either() -> None:
    endless = f'{RECORDS}{{stage="b",other="{"x" * MAX_LINE_CHARS}"}} 2'
    assert read_metrics(f'{RECORDS}{{stage="a"}} 1\n{endless}') == {(RECORDS, "a"): 1.0}


def test_values_that_count_nothing_are_left_out_and_series_are_bounded() -> None:
    assert read_metrics(f'{RECORDS}{{stage="a"}} NaN\n{RECORDS}{{stage="b"}} -1\n{RECORDS}{{stage="c"}} +Inf') == {}
    many = "\n".join(f'{RECORDS}{{stage="{number}"}} 1' for number in range(MAX_SERIES + 50))
    assert len(read_metrics(many)) == MAX_SERIES
