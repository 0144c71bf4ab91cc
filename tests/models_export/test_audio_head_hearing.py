"""Clips are heard as they are in serving, and only once."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models_export.audio_head.clips import Clip
from models_export.audio_head.features import Spoken
from models_export.audio_head.hear import Ear, hear_with
from models_export.packing.parts import SHIPPED
from processors.asr.activity import Samples
from processors.asr.chunks import RATE
from processors.packs import load_pack

SPEECH = Path(__file__).resolve().parents[2] / "examples" / "clips" / "speech.mp3"
WIDTH = 512
"""Of the shipped recogniser's states."""


class Counting(Ear):
    """Hears how many samples there are."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def hear(self, sounds: Sequence[Samples]) -> list[Spoken]:
        self.heard += [len(sound) for sound in sounds]
        return [Spoken(np.full((1, 2), len(sound), np.float32), np.ones(1, np.float32), "wörter") for sound in sounds]


def clip(path: Path) -> Clip:
    return Clip(id=path.name, path=path, train=True, labels={}, text="", lang=None, group=path.name)


@pytest.fixture(scope="module")
def ear() -> Ear:
    return Ear(load_pack(SHIPPED), threads=1)


def test_speech_has_features_of_each_stretch_and_silence_none(ear: Ear, tmp_path: Path) -> None:
    silence = np.zeros(RATE, np.float32)
    [spoken, nothing] = [*hear_with(ear, [clip(SPEECH)], tmp_path), *ear.hear([silence])]
    assert spoken.features.shape == (len(spoken.confidences), 2 * WIDTH)
    assert len(spoken.confidences) >= 1
    assert (spoken.features[:, :WIDTH] <= spoken.features[:, WIDTH:]).all()  # no mean is above its maximum
    assert ((spoken.confidences > 0) & (spoken.confidences <= 1)).all()
    assert "country" in spoken.text.lower()
    assert nothing.text == ""
    assert len(nothing.features) == 0


def test_a_sound_is_heard_the_same_beside_others(ear: Ear) -> None:
    from models_export.evaluation.asr_suite.baseline import samples_of

    sound: NDArray[np.float32] = samples_of(SPEECH)
    [alone] = ear.hear([sound])
    [_, beside] = ear.hear([sound[: 3 * RATE], sound])
    assert beside.text == alone.text
    assert beside.features == pytest.approx(alone.features, abs=1e-4)


def test_what_was_heard_is_kept_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    first, second = tmp_path / "a.mp3", tmp_path / "b.mp3"
    shutil.copyfile(SPEECH, first)
    ear = Counting()
    [before] = hear_with(ear, [clip(first)], tmp_path / "kept")
    shutil.copyfile(SHIPPED.parents[1] / "examples" / "clips" / "spoken-insult.ogg", second)
    [again, other] = hear_with(ear, [clip(first), clip(second)], tmp_path / "kept")
    assert len(ear.heard) == 2
    assert again.text == before.text == "wörter"
    assert (again.features == before.features).all()
    assert other.features[0, 0] == ear.heard[1]


def test_a_sound_that_changed_is_heard_again(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    ear = Counting()
    for name in ("speech.mp3", "spoken-insult.ogg"):
        shutil.copyfile(SPEECH.with_name(name), path)
        hear_with(ear, [clip(path)], tmp_path / "kept")
    assert len(ear.heard) == 2
