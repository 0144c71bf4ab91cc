from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from streams.metrics import WorkerMetrics
from streams.metrics.__main__ import main
from streams.metrics.catalogue import CATALOGUE
from streams.metrics.specs import CounterSpec, HistogramSpec, Spec

UNITS = (
    "_seconds",
    "_bytes",
    "_items",
    "_cost",
    "_records",
    "_messages",
    "_info",
    "_state",
    "_suspects",
    "_confidence",
    "_shift",
)


def names(spec: Spec) -> str:
    return spec.name


@pytest.mark.parametrize("spec", CATALOGUE, ids=names)
def test_every_metric_is_named_by_the_rules_and_says_what_it_means(spec: Spec) -> None:
    assert re.fullmatch(r"modstream_[a-z_]+", spec.name)
    assert spec.name.endswith("_total") == isinstance(spec, CounterSpec)
    if not isinstance(spec, CounterSpec):
        assert spec.name.endswith(UNITS) or spec.name.startswith("modstream_partitions_")
    assert spec.help.endswith(".")
    assert "|" not in spec.help, "it would break the table of the document"


@pytest.mark.parametrize("spec", [spec for spec in CATALOGUE if isinstance(spec, HistogramSpec)], ids=names)
def test_every_histogram_has_a_reason_for_its_rising_buckets(spec: HistogramSpec) -> None:
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert len(spec.why) > 20


def test_no_name_is_declared_twice() -> None:
    assert len({spec.name for spec in CATALOGUE}) == len(CATALOGUE)


def test_the_worker_registers_the_whole_catalogue_and_nothing_else_of_ours() -> None:
    registry = CollectorRegistry()
    WorkerMetrics(registry=registry)
    families = {family.name for family in registry.collect() if family.name.startswith("modstream_")}
    assert families == {spec.name.removesuffix("_total") for spec in CATALOGUE}


def test_two_workers_in_one_process_do_not_share_their_metrics() -> None:
    first, second = WorkerMetrics(), WorkerMetrics()
    first.deleted(1)
    assert first.registry.get_sample_value("modstream_posts_deleted_total") == 1
    assert second.registry.get_sample_value("modstream_posts_deleted_total") == 0


def test_the_document_in_the_repository_is_current() -> None:
    assert main(["--check"]) == 0


def test_a_document_that_is_missing_or_stale_is_told_and_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "docs" / "metrics.md"
    assert main(["--check"], document) == 1
    assert "run `python -m streams.metrics --write`" in capsys.readouterr().err
    assert main(["--write"], document) == 0
    assert main(["--check"], document) == 0
    document.write_text(document.read_text() + "more\n")
    assert main(["--check"], document) == 1
