"""The benchmarks' own arithmetic and reports; what they time is for `make bench`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from benchmarks import cache, chain, latency, ocr, plumbing, scaling
from benchmarks.bed import Outputs, WrongOutputs
from benchmarks.machine import business, describe, slug
from benchmarks.report import Report, Table, Target, document
from benchmarks.statistics import digits, latencies, quantile, steady
from benchmarks.texts import posts, sentences
from benchmarks.watch import Sample, cpu_between
from schemas import decode_post


def reports() -> list[Report]:
    """One of each, from made-up measurements."""
    runs = [plumbing.Run(rate, 18.0, 4.0) for rate in (52_000.0, 50_000.0, 61_000.0)]
    bare = [{"items_per_s": 100.0, "tokens": {"least": 10, "median": 20, "most": 40}}]
    read = [["good morning"], []]
    return [
        ocr.report(ocr.Measured([9.0], read, 1), ocr.Measured([6.0], read, 1), drawn=True),
        cache.report([100.0, 120.0], [1.0, 1.5]),
        plumbing.report({candidate.name: runs for candidate in plumbing.CANDIDATES}),
        chain.report(bare, [chain.Run(95.0, 400 * 2**20, 20.0, 1.0)]),
        latency.report([10.0, 20.0, 30.0], [{"encode": 5.0}, {"encode": 7.0, "pack": 1.0}], capacity=90.0, rss_bytes=1),
        scaling.report({1: [scaling.Run(10.0, (6,))], 2: [scaling.Run(5.1, (3, 3))]}),
    ]


def test_a_quantile_is_a_value_that_occurred() -> None:
    values = list(map(float, range(1, 101)))

    assert [quantile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert quantile([7.0], 0.01) == 7


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.5)])
def test_a_quantile_of_nothing_or_outside_of_its_range_is_refused(values: Sequence[float], share: float) -> None:
    with pytest.raises(ValueError, match="expected a share"):
        quantile(values, share)


def test_a_rate_leaves_the_warm_up_out() -> None:
    slow_start = [index * 1000.0 for index in range(10)]
    then_fast = [9000.0 + index * 10 for index in range(1, 91)]

    part = steady([*then_fast, *slow_start])

    assert part.messages == 90
    assert part.per_second == pytest.approx(100)


@pytest.mark.parametrize("times", [[], [5.0], [5.0] * 10])
def test_outputs_that_come_all_at_once_have_no_rate(times: list[float]) -> None:
    with pytest.raises(ValueError, match="too few for a rate"):
        steady(times)


def test_latencies_are_given_by_their_usual_quantiles() -> None:
    assert latencies([float(value) for value in range(1, 201)]) == {"p50": 100, "p95": 190, "p99": 198, "most": 200}


def test_cpu_time_is_read_off_between_samples() -> None:
    samples = [Sample(0.0, 1.0), Sample(10.0, 2.0), Sample(20.0, 6.0)]

    assert cpu_between(samples, 5.0, 15.0) == pytest.approx(2.5)
    assert cpu_between(samples, -5.0, 99.0) == pytest.approx(5.0)
    with pytest.raises(ValueError, match="never sampled"):
        cpu_between([], 0.0, 1.0)


def test_numbers_keep_the_digits_that_they_are_worth() -> None:
    assert digits(53_380.78) == 53_380
    assert digits(0.0) == 0
    assert digits(0.123456, 3) == 0.123


def test_outputs_must_be_those_expected_each_once() -> None:
    Outputs([b"a", b"b"], [1, 2]).require(["a", "b"])

    with pytest.raises(WrongOutputs, match="1 missing, 0 doubled"):
        Outputs([b"a"], [1]).require(["a", "b"])
    with pytest.raises(WrongOutputs, match="0 missing, 1 doubled"):
        Outputs([b"a", b"a"], [1, 2]).require(["a"])
    with pytest.raises(WrongOutputs, match="1 foreign"):
        Outputs([b"a", b"c"], [1, 2]).require(["a"])


def test_a_table_aligns_numbers_right_and_sets_thousands_apart() -> None:
    table = Table("rates", ("name", "per s"), [("worker", 53_380.78), ("a", 0.5)])

    assert table.render().splitlines() == [
        "rates",
        "name     per s",
        "------  ------",
        "worker  53,381",
        "a          0.5",
    ]


def test_a_row_that_does_not_fit_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        Table("rates", ("name", "per s"), [("worker",)]).render()


def test_a_target_is_a_least_or_a_most() -> None:
    assert Target("rate", 50_000, 50_000).met
    assert not Target("p95", 101, 100, at_least=False).met


@pytest.mark.parametrize("report", reports(), ids=lambda report: report.name)
def test_every_report_is_json_and_a_table_that_names_its_targets(report: Report) -> None:
    assert json.loads(json.dumps(report.figures)) == report.figures
    assert report.targets
    assert all(target.name in report.render() for target in report.targets)


def test_the_file_says_what_was_measured_on_what() -> None:
    machine = {"cpu": "AMD EPYC", "cores": 2}

    found = document(reports(), machine=machine, started_at="2026-11-22T10:00:00+00:00", quick=True, seconds=12.3)

    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"schema", "started_at", "seconds", "quick", "machine", "results", "targets"}
    assert set(found["results"]) == {"ocr", "cache", "plumbing", "chain", "latency", "scaling"}
    assert all(set(target) == {"name", "measured", "required", "at_least", "met"} for target in found["targets"])


def test_the_machine_is_described_and_a_busy_one_is_warned_of() -> None:
    machine = describe()

    assert machine["cores"] >= 1
    assert slug({**machine, "cpu": "Intel(R) Xeon(R) CPU @ 2.20GHz", "cores": 2}) == "intel-xeon-2-cores"
    assert business({**machine, "busy_percent": 1.0}) is None
    assert "97% busy" in (business({**machine, "busy_percent": 97.0}) or "")


def test_the_posts_are_valid_and_of_the_sizes_that_are_told() -> None:
    assert len(plumbing.post(7)[1]) == 141
    assert decode_post(plumbing.post(7)[1]).post_id == "p-0000007"
    texts = sentences()
    assert len(texts) == len(set(texts))
    assert {decode_post(value).text for _, value in posts(len(texts))} == set(texts)


def test_arrivals_are_random_planned_ahead_and_the_same_every_time() -> None:
    arrivals = latency.plan(50.0, 20.0)

    assert arrivals == latency.plan(50.0, 20.0)
    assert len(arrivals) == pytest.approx(1000, rel=0.1)
    assert sorted(arrival.at_s for arrival in arrivals) == [arrival.at_s for arrival in arrivals]
    assert len({arrival.key for arrival in arrivals}) == len(arrivals)
