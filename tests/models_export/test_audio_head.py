"""Labelled speech is read, its stretches are pooled, and the figures say whether a head adds anything to the words."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models_export.audio_head.clips import Clip, read_clips, truth_of
from models_export.audio_head.features import pool, spoken
from models_export.audio_head.measure import (
    STACKED,
    Judged,
    calibrated,
    judged,
    labels_to_learn,
    measure,
    table,
    word_error_rate,
)
from models_export.evaluation.labelled_media import SuiteError
from models_export.measures.metrics import sigmoid
from processors.asr.chunks import RATE, WINDOW_S, Chunk, Span
from processors.asr.whisper import TOKENS_A_SECOND
from processors.asr.words import HeardSegment, HeardWord

ROWS = 400


def segment(start_s: float, end_s: float, text: str = "word", probability: float = 0.5) -> HeardSegment:
    return HeardSegment((HeardWord(f" {text}", start_s, end_s, 0, (math.log(probability),)),))


def chunk(*regions_s: tuple[float, float]) -> Chunk:
    return Chunk(tuple(Span(round(start * RATE), round(end * RATE)) for start, end in regions_s))


def telling_the_time(window: Chunk) -> tuple[Chunk, NDArray[np.float32]]:
    """A window and the states of an encoder of one feature: each frame's second in the sound, and 99 in the padding."""
    states = np.full((WINDOW_S * TOKENS_A_SECOND, 1), 99.0, np.float32)
    samples = np.concatenate([np.arange(region.start, region.end) for region in window.regions])
    own = samples[:: RATE // TOKENS_A_SECOND] / RATE
    states[: len(own), 0] = own
    return window, states


def folder_with(tmp_path: Path, *lines: dict[str, Any]) -> Path:
    for line in lines:
        (tmp_path / str(line["file"])).touch()
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return tmp_path


def line(file: str, split: str = "train", **more: Any) -> dict[str, Any]:
    return {"file": file, "split": split, "labels": {"abuse": 1}, "text": "said", **more}


def test_clips_are_read_with_what_people_judged(tmp_path: Path) -> None:
    first, second = read_clips(folder_with(tmp_path, line("a.wav"), line("b.mp3", "dev", lang="de", voice="deep")))
    assert (first.id, first.train, first.labels, first.group) == ("a.wav", True, {"abuse": 1}, "a.wav")
    assert (second.path, second.train, second.lang) == (tmp_path / "b.mp3", False, "de")


def test_a_line_that_is_no_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"manifest\.jsonl, line 2: .*split"):
        read_clips(folder_with(tmp_path, line("a.wav"), line("b.wav", "test")))


def test_a_sound_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder_with(tmp_path, line("a.wav"))
    (tmp_path / "a.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.wav: no such file"):
        read_clips(tmp_path)


def test_clips_of_one_speaker_may_not_be_in_both_splits(tmp_path: Path) -> None:
    given = folder_with(tmp_path, line("a.wav", group="ann"), line("b.wav", "dev", group="ann"))
    with pytest.raises(ValueError, match="1 groups are in train and dev"):
        read_clips(given)


def test_what_nobody_judged_is_unknown(tmp_path: Path) -> None:
    truth = truth_of(read_clips(folder_with(tmp_path, line("a.wav", labels={"hate": 0}))), ["abuse", "hate"])
    assert np.isnan(truth[0, 0])
    assert truth[0, 1] == 0


def test_a_stretch_is_pooled_over_its_own_frames() -> None:
    found = spoken([telling_the_time(chunk((0, 6)))], [segment(1, 2, "one", 0.9), segment(4, 5, "two", 0.3)])
    assert found.features.shape == (2, 2)
    assert found.features[:, 0] == pytest.approx([1.49, 4.49], abs=0.02)  # means
    assert found.features[:, 1] == pytest.approx([1.98, 4.98], abs=0.02)  # maxima
    assert found.confidences == pytest.approx([0.9, 0.3])
    assert found.text == "one two"


def test_a_stretch_is_found_behind_pauses_that_the_recogniser_left_out() -> None:
    found = spoken([telling_the_time(chunk((1, 2), (40, 42)))], [segment(1, 2), segment(40.5, 41.5)])
    assert found.features[:, 0] == pytest.approx([1.49, 40.99], abs=0.02)


def test_a_stretch_may_begin_in_one_window_and_end_in_the_next() -> None:
    both = [telling_the_time(chunk((0, 30))), telling_the_time(chunk((30, 50)))]
    found = spoken(both, [segment(29, 33)])
    assert found.features[0] == pytest.approx([30.99, 32.98], abs=0.02)


def test_padding_says_nothing_of_speech() -> None:
    found = spoken([telling_the_time(chunk((0, 2)))], [segment(1, 8)])
    assert found.features[0, 1] < 2


def test_a_sound_in_which_nothing_is_heard_has_no_features() -> None:
    for windows in ([], [telling_the_time(chunk((0, 2)))]):
        found = spoken(windows, [])
        assert len(found.features) == len(found.confidences) == 0


def test_a_word_that_takes_no_time_is_read_all_the_same() -> None:
    found = spoken([telling_the_time(chunk((0, 2)))], [segment(1, 1, "oh")])
    assert found.text == "oh"
    assert len(found.features) == len(found.confidences) == 0


def test_the_mean_comes_before_the_maximum() -> None:
    assert pool(np.array([[0, 1], [4, 1]], np.float32)).tolist() == [2, 1, 4, 1]


def clips(*, audio_says: float, seed: int = 1) -> Judged:
    """Abuse that the words show, that the recogniser half understands, and that the tone shows as much as given."""
    random = np.random.default_rng(seed)
    words, tone = random.normal(size=ROWS), random.normal(size=ROWS)
    truth = random.random(ROWS) < sigmoid(1.5 * words + audio_says * tone)
    names = [f"c{at}" for at in range(ROWS)]
    transcript = words + random.normal(size=ROWS)
    return Judged(names, np.array(names), truth, {"transcript": transcript, "words": words, "audio": tone})


def test_a_head_helps_only_where_it_adds_something_to_the_words() -> None:
    for says, helps in ((1.5, True), (0.0, False)):
        found = measure(clips(audio_says=says))
        assert found["helps"] is helps
        assert (found["judged_by"][STACKED]["auc_gain"]["low"] > 0) is helps
        assert found["judged_by"]["text_on_true_words"]["auc_gain"]["low"] > 0


def test_the_table_has_every_way_to_judge() -> None:
    found = measure(clips(audio_says=0.0))
    shown = table("abuse", found)
    assert all(name in shown for name in found["judged_by"])
    assert f"{ROWS} dev clips, {found['positives']} of them positive" in shown


def test_a_head_that_ranks_by_chance_is_not_calibrated() -> None:
    _, told = calibrated(clips(audio_says=0.0))
    assert not told["calibrated"]
    assert "expected at least 65%" in told["reason"]
    calibration, told = calibrated(clips(audio_says=4.0))
    assert told["calibrated"]
    assert told["temperature"] == calibration.temperature
    assert told["ece"] < 0.1


def test_clips_that_lack_a_judgement_or_a_score_are_left_out() -> None:
    scores = np.array([0.5, np.nan, 0.5, 0.5])
    found = judged(
        ["a", "b", "c", "d"], np.array(list("wxyz")), np.array([1, 0, np.nan, 0], np.float32), {"audio": scores}
    )
    assert found.ids == ["a", "d"]
    assert found.groups.tolist() == ["w", "z"]
    assert found.truth.tolist() == [True, False]
    assert found.inputs["audio"].tolist() == [0.5, 0.5]


def test_a_label_needs_clips_of_both_classes_on_both_sides() -> None:
    both = np.array([[1.0], [0.0]] * 10, np.float32)
    few = np.array([[1.0]] * 9 + [[0.0]] * 11, np.float32)
    assert labels_to_learn(both, both, ["abuse"]) == [0]
    assert labels_to_learn(few, both, ["abuse"]) == []
    assert labels_to_learn(both, few, ["abuse"]) == []


def test_words_that_were_misheard_are_counted() -> None:
    said = [Clip(name, Path(name), False, {}, text, "en", name) for name, text in (("a", "one two"), ("b", "Mr. Four"))]
    assert word_error_rate(said, ["one too", "mister 4"]) == 0.25
    assert np.isnan(word_error_rate([], []))
