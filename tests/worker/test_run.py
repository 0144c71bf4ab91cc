"""What a worker is told to do is looked at before anything is loaded."""

from __future__ import annotations

import io

import pytest

from schemas import Stage
from streams.settings import SettingsError, load_settings
from streams.worker.run import run_worker


def test_a_worker_whose_lanes_leave_a_stage_without_work_does_not_start() -> None:
    settings = load_settings(None, {"MODSTREAM_WORKER__LANES": "long"}, {}).settings
    with pytest.raises(
        SettingsError, match="fetch, pack would have nothing to do: only ocr and asr have the lane long"
    ):
        run_worker(settings, [Stage.FETCH, Stage.OCR, Stage.PACK], None, io.StringIO())
