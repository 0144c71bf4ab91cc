"""What a worker tells of its batches and commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas import Stage
from streams.metrics import WorkerMetrics
from streams.telemetry import Tracing
from streams.topology import STANDARD
from streams.worker.accounts import Observer, report_commit
from streams.worker.journal import Journal
from streams.worker.ledger import Decided, Output, PartitionLedger, Ticket
from streams.worker.stage import BatchReport
from tests.worker.parts import work_of, works_of

REPORT = BatchReport(
    stage=Stage.ENCODE,
    lane=STANDARD,
    items=3,
    cost=30,
    waited_s=0.1,
    prepare_s=0.1,
    process_s=0.1,
    finished=2,
    isolated=1,
    retried=4,
)


@pytest.fixture
def metrics() -> WorkerMetrics:
    return WorkerMetrics()


def observer(metrics: WorkerMetrics, folder: Path) -> Observer:
    return Observer(Journal(folder, "w-0"), metrics, Tracing(0.0), [Stage.ENCODE])


def sample(metrics: WorkerMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"modstream_{name}", labels)


def test_a_batch_under_way_is_noted_until_it_is_through(metrics: WorkerMetrics, tmp_path: Path) -> None:
    for _ in range(2):
        observer(metrics, tmp_path).entered(Stage.ENCODE, STANDARD, works_of("a", "b"))
    assert set(Journal(tmp_path, "w-0").suspects("moderation.posts", 0)) == {0, 1}
    through = observer(metrics, tmp_path)
    batch = through.entered(Stage.ENCODE, STANDARD, works_of("a", "b", "c", "d"))
    through.left(batch, REPORT)
    assert set(Journal(tmp_path, "w-0").suspects("moderation.posts", 0)) == {0, 1}


def test_items_that_are_still_under_way_stay_noted_when_one_beside_them_is_through(
    metrics: WorkerMetrics, tmp_path: Path
) -> None:
    a, b = works_of("a", "b")
    for _ in range(2):
        watching = observer(metrics, tmp_path)
        batch = watching.entered(Stage.ENCODE, STANDARD, [a])
        watching.entered(Stage.ENCODE, STANDARD, [b], beside=[a])
        watching.left(batch, REPORT, beside=[b])
    assert set(Journal(tmp_path, "w-0").suspects("moderation.posts", 0)) == {1}


def test_a_suspect_that_runs_alone_is_noted_as_such(metrics: WorkerMetrics, tmp_path: Path) -> None:
    observer(metrics, tmp_path).entered(Stage.ENCODE, STANDARD, [work_of(alone=True)])
    assert Journal(tmp_path, "w-0").suspects("moderation.posts", 0)[7].alone


def test_a_batch_counts_its_items_its_failures_and_its_tries_in_place(metrics: WorkerMetrics, tmp_path: Path) -> None:
    observer(metrics, tmp_path).left(None, REPORT)
    assert sample(metrics, "stage_records_total", stage="encode") == 2
    assert sample(metrics, "poison_isolated_total", stage="encode") == 1
    assert sample(metrics, "retries_total", stage="encode", delay="in_place") == 4


def test_a_commit_counts_outputs_by_topic_and_posts_by_action(metrics: WorkerMetrics) -> None:
    home = PartitionLedger("moderation.posts", 0)
    first, second = Ticket(home, 0, 1, 0.0, None), Ticket(home, 1, 1, 0.0, None)
    first.outputs = [Output("decisions", None, b""), Output("flags", None, b""), Output("flags", None, b"")]
    first.decided = Decided("standard", 0, "review", "default", "en", None, "media", 0.75, (("text", 0.5),))
    second.outputs = []
    report_commit(metrics, [first, second])
    assert sample(metrics, "outputs_total", topic="flags") == 2
    assert sample(metrics, "posts_decided_total", action="review", tenant="default", lang="en", region="none") == 1
    assert sample(metrics, "end_to_end_seconds_count", lane="standard", kind="media") == 1
    assert sample(metrics, "decision_confidence_sum", action="review") == 0.75
    assert sample(metrics, "modality_confidence_sum", modality="text") == 0.5
