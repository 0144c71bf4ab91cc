"""What the benchmarks of sound rest on: the sounds and videos cut, the processes that hear them, what is compared."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks import asr
from benchmarks.asr import Measured, Task
from benchmarks.readers import Reader, Reading
from benchmarks.recording import (
    AUDIO_S,
    FAINTER,
    RATE,
    VIDEO_S,
    Samples,
    TooFewSounds,
    long_sound,
    media_posts,
    piece,
    recordings,
    seconds_of,
    short_sounds,
    wav,
)
from benchmarks.report import Report
from schemas import decode_post
from schemas.sections import MediaKind
from streams.settings import MediaSettings


def tone(seconds: float, hertz: float = 300.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def loudness(path: Path) -> float:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return float(np.sqrt(np.mean((samples / 32767) ** 2)))


def streams(data: bytes) -> dict[str, float]:
    """Kind -> seconds of a file's streams."""
    with av.open(io.BytesIO(data)) as container:
        return {found.type: float((found.duration or 0) * (found.time_base or 0)) for found in container.streams}


def task(*seconds: float, lines: list[list[str]] | None = None) -> Task:
    """A minute of sound that the readers hear in so many seconds; the first is the stage."""
    heard = lines or [["good morning"], []]
    return Task(2, 60.0, [Measured(f"reader {at}", [of], [2 * of], heard, 2**20) for at, of in enumerate(seconds)])


def test_long_recordings_are_cut_and_few_ones_come_again_fainter(tmp_path: Path) -> None:
    paths = short_sounds([tone(20), tone(2)], tmp_path, 5)
    assert [round(seconds_of(path)) for path in paths] == [15, 5, 2, 15, 5]
    assert loudness(paths[3]) == pytest.approx(loudness(paths[0]) * FAINTER, rel=0.01)


def test_a_long_sound_goes_on_until_it_is_long_enough(tmp_path: Path) -> None:
    path = long_sound([tone(4), tone(3)], tmp_path / "new" / "long.wav", 17)
    assert 17 <= seconds_of(path) < 17 + 4 + 0.5


def test_a_folder_gives_its_sounds_by_name_and_leaves_out_what_has_none(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(wav(tone(2)))
    (tmp_path / "a.wav").write_bytes(wav(tone(3)))
    (tmp_path / "short.wav").write_bytes(wav(tone(0.2)))
    (tmp_path / "broken.mp3").write_bytes(b"no sound at all")
    (tmp_path / "notes.txt").write_text("none")
    assert [len(sound) / RATE for sound in recordings(tmp_path)] == [3, 2]


def test_a_folder_without_sounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooFewSounds, match="expected at least one"):
        recordings(tmp_path)


def test_without_a_folder_the_example_is_heard() -> None:
    (speech,) = recordings(None)
    assert len(speech) >= 5 * RATE


def test_pieces_are_the_same_every_time_and_like_no_other() -> None:
    source = [tone(3), tone(2, 500)]
    assert np.array_equal(piece(1, 10, source), piece(1, 10, source))
    assert not np.array_equal(piece(1, 10, source), piece(2, 10, source))
    assert len(piece(1, 10, source)) == 10 * RATE


@pytest.mark.parametrize(
    ("kind", "expected"), [("audio", {"audio": AUDIO_S}), ("video", dict.fromkeys(("audio", "video"), VIDEO_S))]
)
def test_posts_with_sound_are_valid_and_ride_inline(kind: MediaKind, expected: dict[str, float]) -> None:
    values = [decode_post(value) for _, value in media_posts(kind, 2, recordings(None), first=3)]
    media = [post.media[0].data or b"" for post in values]
    assert [post.post_id for post in values] == ["p-000003", "p-000004"]
    assert {post.media[0].kind for post in values} == {kind}
    assert streams(media[0]) == pytest.approx(expected, abs=0.1)
    assert media[0] != media[1]
    assert max(map(len, media)) <= MediaSettings().max_inline_bytes


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ([["Good morning."]], [["good", "morning"]], 1.0),
        ([["four clubs"]], [["4 clubs"]], 1.0),
        ([["one two three four"]], [["one too three four"]], 0.75),
        ([["one"], ["two"]], [["two"], ["one"]], 0.0),
        ([["one"]], [[]], 0.0),
        ([[]], [[]], 1.0),
    ],
    ids=["segments", "numbers", "a word", "another sound", "unheard", "nothing"],
)
def test_sounds_are_heard_alike_when_the_words_are_the_same(
    one: list[list[str]], other: list[list[str]], share: float
) -> None:
    assert asr.alike(one, other) == pytest.approx(share)
    assert asr.alike(other, one) == pytest.approx(share)


def test_the_targets_are_how_many_times_as_fast_the_stage_is() -> None:
    found = asr.report(task(10, 15, 12), task(10, 9), new_ms=100, repeated_ms=1)
    assert [(target.measured, target.required, target.met) for target in found.targets] == [
        (1.5, 1.5, True),
        (1.2, 1.5, False),
        (0.9, 1.0, False),
    ]
    stage = found.figures["short"]["readers"]["reader 0"]
    assert (stage["times_real"]["median"], stage["cpu_s_per_sound_s"]) == (6.0, 0.3333)


class Names(Reader):
    """Hears the name of each file; every question takes a second longer than the one before."""

    def __init__(self, asked: list[str], name: str) -> None:
        self._asked, self._name = asked, name

    def read(self, files: Sequence[Path]) -> Reading:
        self._asked.append(self._name)
        return Reading(float(len(self._asked)), 0.5, [[path.stem] for path in files])

    @property
    def peak_rss_bytes(self) -> int:
        return 1


def test_readers_take_turns_and_none_always_comes_first(tmp_path: Path) -> None:
    asked: list[str] = []
    files = short_sounds([tone(2)], tmp_path, 2)
    found = asr.measure({name: Names(asked, name) for name in "ab"}, files, 3, "names", lambda _: None)
    assert "".join(asked) == "abbaab"
    assert [(of.name, of.seconds, of.lines) for of in found.measured] == [
        ("a", [1, 4, 5], [["00000"], ["00001"]]),
        ("b", [2, 3, 6], [["00000"], ["00001"]]),
    ]
    assert found.sound_s == 4.0


def test_the_report_names_every_reader() -> None:
    found: Report = asr.report(task(1, 2), task(1, 2), new_ms=100, repeated_ms=1)
    assert "reader 1" in found.render()
    assert "100.0%" in found.render()
