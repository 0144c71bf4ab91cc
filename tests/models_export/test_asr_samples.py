from __future__ import annotations

import json
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_export.evaluation.asr_suite.made import (
    IN_NOISE,
    IN_SILENCE,
    PAUSE_S,
    RATE,
    SPEECH_OVER_NOISE_DB,
    make_mixed,
    make_speechless,
    pink,
    tone,
)
from models_export.evaluation.asr_suite.samples import (
    SPEECH_CLIPS,
    VIDEO_CLIPS,
    Clip,
    Spoken,
    read_clips,
    transcript_of,
)
from models_export.evaluation.labelled_media import SuiteError


def write(data: Path, manifest: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path = data / manifest
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for row in rows:
        (path.parent / str(row["file"])).write_bytes(b"no sound")


def heard(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A WAV file's samples, -1..1."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


def loudness(samples: np.ndarray[Any, Any]) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def test_clips_come_from_both_parts_with_what_is_known_of_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        SPEECH_CLIPS,
        [
            {"file": "a.wav", "kind": "speech", "lang": "de", "transcript": " Guten Tag ", "duration_s": 1},
            {"file": "b.mp3", "kind": "music", "lang": "-"},
            {"file": "c.ogg", "kind": "narration?", "lang": "en?", "transcript": "<no transcript>"},
        ],
    )
    write(tmp_path, VIDEO_CLIPS, [{"file": "d.mp4", "kind": "video+speech", "lang": "en"}])
    found = read_clips(tmp_path)
    assert [(clip.media, clip.lang, clip.transcript, clip.spoken) for clip in found.samples] == [
        ("audio", "de", "Guten Tag", Spoken.YES),
        ("audio", None, None, Spoken.NO),
        ("audio", None, None, Spoken.UNKNOWN),
        ("video", "en", None, Spoken.YES),
    ]
    assert found.samples[0].path == tmp_path / SPEECH_CLIPS.parent / "a.wav"
    assert found.missing == found.absent == ()


def test_a_file_that_is_not_there_is_named_and_so_is_a_manifest(tmp_path: Path) -> None:
    write(tmp_path, SPEECH_CLIPS, [{"file": "a.wav", "kind": "speech"}])
    (tmp_path / SPEECH_CLIPS.parent / "a.wav").unlink()
    found = read_clips(tmp_path)
    assert (found.samples, found.missing) == ((), (str(SPEECH_CLIPS.parent / "a.wav"),))
    assert found.absent == (str(VIDEO_CLIPS),)


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="has neither"):
        read_clips(tmp_path)


def test_a_line_that_is_no_clip_is_named(tmp_path: Path) -> None:
    write(tmp_path, SPEECH_CLIPS, [{"file": "a.wav", "kind": "speech"}, {"file": "b.wav"}])
    with pytest.raises(SuiteError, match=r"manifest\.jsonl, line 2: .*kind"):
        read_clips(tmp_path)


@pytest.mark.parametrize("text", [None, "", " … ", "<a phone call>", "hello <unclear> there"])
def test_words_that_are_not_all_written_down_are_no_transcript(text: str | None) -> None:
    assert transcript_of(text) is None


def test_sounds_without_words_are_made_the_same_every_time(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    one, other = map(make_speechless, folders)
    assert [clip.id for clip in one] == [clip.id for clip in other]
    assert [clip.path.read_bytes() for clip in one] == [clip.path.read_bytes() for clip in other]
    assert {clip.spoken for clip in one} == {Spoken.NO}
    assert {"silence", "noise", "tone"} == {clip.kind for clip in one}
    assert all(np.all(heard(clip.path) == 0) == (clip.kind == "silence") for clip in one)


def test_pink_noise_has_its_power_in_low_tones() -> None:
    power = np.abs(np.fft.rfft(pink(8, 0.1))) ** 2
    assert loudness(pink(8, 0.1)) == pytest.approx(0.1, rel=0.05)
    octaves = [power[8 * low : 16 * low].sum() for low in (100, 200, 400, 800, 1600)]
    assert max(octaves) < 1.2 * min(octaves)


def test_mixed_speech_keeps_its_transcript_and_has_silence_or_noise_around_it(tmp_path: Path) -> None:
    spoken = tone(2, 300)
    clip = Clip("media/a.wav", tmp_path / "a.wav", "media", "audio", "speech", "en", "hello", Spoken.YES)
    silent, noisy = make_mixed(tmp_path, [(clip, spoken)])
    assert [(of.kind, of.lang, of.transcript, of.spoken) for of in (silent, noisy)] == [
        (kind, "en", "hello", Spoken.YES) for kind in (IN_SILENCE, IN_NOISE)
    ]
    padded, mixed = heard(silent.path), heard(noisy.path)
    pause = round(PAUSE_S * RATE)
    assert not padded[:pause].any()
    assert not padded[-pause:].any()
    assert padded[pause:-pause] == pytest.approx(spoken, abs=1e-4)
    ratio = loudness(spoken) / loudness(mixed - spoken)
    assert 20 * np.log10(ratio) == pytest.approx(SPEECH_OVER_NOISE_DB, abs=0.5)
