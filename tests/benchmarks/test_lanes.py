"""The recordings that the benchmark of lanes is made with, and what it says of its runs."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from faster_whisper import decode_audio

from benchmarks import lanes
from benchmarks.recording import RATE
from schemas import decode_post


def test_every_recording_is_as_long_as_it_should_be_and_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "LENGTH_S", 8.0)
    monkeypatch.setattr(lanes, "PART_S", 1.0)
    posts = [decode_post(value) for _, value in lanes.make_recordings(tmp_path, 3)]
    paths = [Path(unquote(urlparse(post.media[0].uri or "").path)) for post in posts]
    sounds = [np.asarray(decode_audio(str(path), RATE)) for path in paths]
    assert all(len(sound) / RATE == pytest.approx(8.0, abs=1.0) for sound in sounds)
    assert len({sound.tobytes() for sound in sounds}) == 3


@pytest.mark.parametrize("apart", [True, False])
def test_the_goal_is_for_cores_that_are_not_shared(apart: bool) -> None:
    alone, among = lanes.Run([10.0, 20.0, 40.0]), lanes.Run([10.0, 20.0, 50.0], crossed=4, decided=1)
    found = lanes.report(alone, among, recordings=9, apart=apart)
    json.dumps(found.figures)
    assert found.figures["p95_times"] == 1.25
    assert [(target.measured, target.required) for target in found.targets] == ([(1.25, 1.2)] if apart else [])
