"""The arithmetic of capacity, and the simulation beside what queueing theory says exactly."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.capacity.__main__ import main
from benchmarks.capacity.costs import KINDS, BadCosts, Costs, KindCost, read_costs
from benchmarks.capacity.plan import Assumptions, core_seconds_a_day, plan
from benchmarks.capacity.queueing import Service, poisson, sojourns
from benchmarks.capacity.run import PER_DAY, queueing_table, report
from benchmarks.capacity.traffic import Traffic, parsed_mix
from schemas import Stage

POSTS = 200_000


def cost_of(**cpu_s: float) -> KindCost:
    stages = {Stage(stage): seconds for stage, seconds in cpu_s.items()}
    return KindCost(cpu_s=stages, post_bytes=1_000, record_bytes=2_000, output_bytes=3_000, media_bytes=0)


TEXT = cost_of(ingest=0.001, pack=0.001, encode=0.02, fuse=0.001)
IMAGE = cost_of(ingest=0.001, fetch=0.01, ocr=0.2, pack=0.001, encode=0.06, fuse=0.001)
COSTS = Costs(machine="m", kinds={kind: TEXT if kind == "text" else IMAGE for kind in KINDS}, crossing_cpu_s=0.0)


def test_cores_are_work_at_the_peak_by_utilisation() -> None:
    needs = plan(COSTS, Traffic(86_400 * 100, {"text": 1.0}, peak=2.0), Assumptions(utilisation=0.5, worker_cores=4))
    (judging,) = [need for need in needs.segments if Stage.ENCODE in need.stages]
    assert judging.posts_per_s == pytest.approx(200)
    assert judging.cores == 9  # 200 posts a second of 22 ms are 4.4 cores, at half of each 8.8
    assert judging.workers == 3
    assert judging.partitions == 5


def test_a_stage_that_no_post_reaches_needs_nothing() -> None:
    needs = plan(COSTS, Traffic(1e6, {"text": 1.0}))
    assert [need.cores for need in needs.segments if Stage.OCR in need.stages] == [0]


def test_gpus_that_were_not_measured_are_not_invented() -> None:
    assert {need.gpus for need in plan(COSTS, Traffic(1e6, {"image": 1.0})).segments if need.cores} == {None}


@given(st.floats(1e4, 1e9), st.floats(1, 5))
def test_twice_the_posts_need_twice_the_work(per_day: float, peak: float) -> None:
    once, twice = Traffic(per_day, peak=peak), Traffic(2 * per_day, peak=peak)
    assert core_seconds_a_day(plan(COSTS, twice), twice) == pytest.approx(
        2 * core_seconds_a_day(plan(COSTS, once), once)
    )
    assert plan(COSTS, twice).kafka_gib == pytest.approx(2 * plan(COSTS, once).kafka_gib)


def test_storage_is_bytes_by_days_by_copies() -> None:
    given_ = Assumptions(
        replication=3, public_days=7, internal_days=0, dead_letter_share=0.0, dead_letter_days=0, media_days=0
    )
    found = plan(COSTS, Traffic(1_000_000, {"text": 1.0}), given_)
    assert found.kafka_gib == pytest.approx(4_000 * 7 * 3 * 1_000_000 / 2**30)


def test_kafka_takes_of_a_mix_what_it_takes_of_its_parts() -> None:
    """What has the largest records also crosses the most topics: the product of two means would be too little."""
    large = msgspec.structs.replace(IMAGE, record_bytes=100_000)
    costs = Costs(machine="m", kinds=dict.fromkeys(KINDS, large) | {"text": TEXT}, crossing_cpu_s=0.0)
    parts = [plan(costs, Traffic(1e6, {kind: 1.0})) for kind in ("text", "image")]
    mixed = plan(costs, Traffic(1e6, {"text": 0.5, "image": 0.5}))
    assert mixed.kafka_in_mib_per_s == pytest.approx(sum(part.kafka_in_mib_per_s for part in parts) / 2)
    assert mixed.kafka_gib == pytest.approx(sum(part.kafka_gib for part in parts) / 2)


@pytest.mark.parametrize(
    ("mix", "why"),
    [
        ({"text": 0.5}, "adds up to 0.5"),
        ({"poem": 1.0}, "poem"),
        ({"text": 1.5, "image": -0.5}, "adds up to"),
    ],
)
def test_a_mix_that_is_none_is_refused(mix: dict[str, float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Traffic(1.0, mix)


def test_a_mix_is_read_from_words() -> None:
    assert parsed_mix("text=0.5, image=0.5") == {"text": 0.5, "image": 0.5}
    with pytest.raises(ValueError, match="KIND=SHARE"):
        parsed_mix("text")


def test_a_file_without_costs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    path.write_text("[]")
    with pytest.raises(BadCosts, match=r"costs\.json: has no costs"):
        read_costs(path)
    path.write_text('{"machine": "m", "kinds": {}, "crossing_cpu_s": -1}')
    with pytest.raises(BadCosts, match=r"crossing_cpu_s"):
        read_costs(path)
    path.write_text('{"machine": "m", "kinds": {}, "crossing_cpu_s": 1}')
    with pytest.raises(BadCosts, match="no costs of text"):
        read_costs(path)


def test_one_server_waits_as_long_as_theory_says() -> None:
    # M/M/1: the mean time in the system is 1 / (mu - lambda).
    draws = np.random.default_rng(3).exponential(1.0, POSTS)
    found = sojourns(poisson(0.7, POSTS), Service(each_s=1.0), 1, draws)
    assert found.mean() == pytest.approx(1 / (1 - 0.7), rel=0.05)


def test_constant_service_waits_half_as_long_as_random_service() -> None:
    # M/D/1 (Pollaczek and Khinchine): the mean wait is rho / (2 (1 - rho)) services.
    found = sojourns(poisson(0.7, POSTS), Service(each_s=1.0), 1)
    assert found.mean() - 1 == pytest.approx(0.7 / (2 * 0.3), rel=0.05)


def test_several_servers_wait_as_erlang_says() -> None:
    # M/M/2 at rho 0.7: P(wait) = 2 rho^2 / (1 + rho) = 0.5765, mean wait = P(wait) / (2 mu (1 - rho)).
    draws = np.random.default_rng(5).exponential(1.0, POSTS)
    found = sojourns(poisson(1.4, POSTS), Service(each_s=1.0), 2, draws)
    assert found.mean() - 1 == pytest.approx(2 * 0.49 / 1.7 / (2 * 0.3), rel=0.06)


@given(st.integers(1, 64), st.integers(1, 4), st.floats(0, 0.1))
def test_a_post_is_done_no_earlier_than_its_service_takes(max_items: int, servers: int, max_wait_s: float) -> None:
    service = Service(each_s=0.01, fixed_s=0.02, max_items=max_items, max_wait_s=max_wait_s)
    found = sojourns(poisson(50.0, 500), service, servers)
    assert (found >= service.takes_s(1) - 1e-9).all()


def test_a_lone_post_waits_for_company_and_no_longer() -> None:
    service = Service(each_s=0.01, max_items=8, max_wait_s=0.5)
    assert sojourns(np.array([1.0]), service, 1) == pytest.approx([0.51])


def test_a_full_batch_does_not_wait() -> None:
    service = Service(each_s=0.01, max_items=2, max_wait_s=9.0)
    assert sojourns(np.array([1.0, 2.0]), service, 1) == pytest.approx([1.02, 0.02])


RESULT = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "2026-11-22-epyc-2-cores-capacity.json"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "capacity.md"


def test_the_page_shows_what_the_planner_computes_from_the_measured_costs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in report(read_costs(RESULT), Traffic(PER_DAY)).tables:
        assert table.render() in page
    figures = json.loads(RESULT.read_text(encoding="utf-8"))["results"]["capacity"]
    assert queueing_table(figures["queueing"]).render() in page


def test_the_planner_prints_tables_figures_and_one_sentence_for_what_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([str(RESULT), "--per-day", "1e6", "--mix", "text=1"]) == 0
    assert "1,000,000 posts a day (100% text)" in capsys.readouterr().out
    assert main([str(RESULT), "--json", "--utilisation", "0.3"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["cores"] > 0
    assert main([str(RESULT), "--mix", "text=0.5"]) == 1
    assert capsys.readouterr().err == "capacity: a mix that adds up to 0.5: expected shares that add up to 1\n"
