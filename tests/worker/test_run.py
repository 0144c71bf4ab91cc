"""What a worker is told to do is looked at before anything is loaded."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import pytest

from processors.asr import AsrOptions, AsrProcessor
from processors.engines import EngineStatistics
from schemas import Stage
from streams.metrics import WorkerMetrics
from streams.settings import SettingsError, load_settings
from streams.worker.run import _Reporter, run_worker


def test_a_worker_whose_lanes_leave_a_stage_without_work_does_not_start() -> None:
    settings = load_settings(None, {"MODSTREAM_WORKER__LANES": "long"}, {}).settings
    with pytest.raises(
        SettingsError, match="fetch, pack would have nothing to do: only ocr and asr have the lane long"
    ):
        run_worker(settings, [Stage.FETCH, Stage.OCR, Stage.PACK], None, io.StringIO())


def test_what_every_model_runs_is_counted() -> None:
    class Hears:
        engine = "cpu int8"
        statistics: ClassVar = {"speech_encoder": EngineStatistics(runs=2, rows=9, tokens=1, seconds=0.5)}

    hears: Any = Hears()
    processor = AsrProcessor(hears, hears, hears, AsrOptions())
    metrics = WorkerMetrics()
    reporter = _Reporter([processor])
    reporter.report(metrics)
    reporter.report(metrics)
    counted = {"graph": "speech_encoder", "provider": "cpu int8"}
    assert metrics.registry.get_sample_value("modstream_engine_rows_total", counted) == 9
