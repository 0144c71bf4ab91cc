"""Sounds with their speech silenced, and whether the words stay."""

from __future__ import annotations

import numpy as np

from processors.asr.chunks import MAX_SAMPLES, RATE, Chunk, Span
from processors.asr.phantom import MARGIN, same_words, silenced

SPEECH = Span(5 * RATE, 7 * RATE)


def hum(seconds: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.full(seconds * RATE, 0.1, np.float32)


def test_speech_and_margins_are_silent_and_the_rest_is_as_it_was() -> None:
    sound = hum(12)
    rest = silenced(sound, Chunk((SPEECH,)), (SPEECH,))
    assert rest is not None
    assert not rest[SPEECH.start - MARGIN : SPEECH.end + MARGIN].any()
    assert (rest[: SPEECH.start - MARGIN] == sound[: SPEECH.start - MARGIN]).all()
    assert (rest[SPEECH.end + MARGIN :] == sound[SPEECH.end + MARGIN :]).all()
    assert (sound == 0.1).all() or np.allclose(sound, 0.1)


def test_other_speech_of_the_sound_is_silenced_too() -> None:
    other = Span(9 * RATE, 10 * RATE)
    rest = silenced(hum(12), Chunk((SPEECH,)), (SPEECH, other))
    assert rest is not None
    assert not rest[other.start : other.end].any()


def test_where_nothing_but_silence_is_left_there_is_nothing_to_hear() -> None:
    sound = np.zeros(12 * RATE, np.float32)
    sound[SPEECH.start : SPEECH.end] = 0.3
    assert silenced(sound, Chunk((SPEECH,)), (SPEECH,)) is None


def test_speech_from_end_to_end_leaves_nothing_to_hear() -> None:
    whole = Span(0, 6 * RATE)
    assert silenced(hum(6), Chunk((whole,)), (whole,)) is None


def test_a_chunk_at_the_end_of_a_long_sound_keeps_what_is_around_it() -> None:
    sound = hum(100)
    late = Span(95 * RATE, 98 * RATE)
    rest = silenced(sound, Chunk((late,)), (late,))
    assert rest is not None
    assert len(rest) == MAX_SAMPLES
    start = len(sound) - MAX_SAMPLES
    assert not rest[late.start - start : late.end - start].any()
    assert rest[0] == sound[0]


def test_the_same_words_stay_the_same_in_another_spelling() -> None:
    assert same_words("Thank you.", "thank you")
    assert same_words("Thanks for watching!", "Thanks for watching. Bye.")
    assert same_words("ご視聴ありがとうございました", "ご視聴ありがとう")


def test_other_words_are_not_the_same() -> None:
    assert not same_words("I will find you", "Music plays")
    assert not same_words("I will find you", "")
    assert not same_words("", "Music plays")
