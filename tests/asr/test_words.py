"""Tokens become words, and words become segments."""

from __future__ import annotations

import math

import pytest

from processors.asr.chunks import RATE, Chunk, Span
from processors.asr.whisper import TimedToken, Whisper
from processors.asr.words import LONGEST_WORD_S, HeardWord, segments_of, words_of

CHUNK = Chunk((Span(0, 20 * RATE),))


def timed(whisper: Whisper, text: str, step: float = 0.2, probability: float = 0.5) -> list[TimedToken]:
    ids = whisper.tokenizer.encode(text, add_special_tokens=False).ids
    return [TimedToken(token, at * step, (at + 1) * step, probability) for at, token in enumerate(ids)]


def word(text: str, start: float, end: float, region: int = 0, probability: float = 0.5) -> HeardWord:
    return HeardWord(text, start, end, region, (math.log(probability),))


def test_words_are_those_between_spaces_with_their_marks(whisper: Whisper) -> None:
    words = words_of(whisper.tokenizer, "en", timed(whisper, ' He said, "unbelievable" twice!'), CHUNK)
    assert [word.text for word in words] == [" He", " said,", ' "unbelievable"', " twice!"]
    assert "".join(word.text for word in words) == ' He said, "unbelievable" twice!'


def test_a_language_without_spaces_has_words_too(whisper: Whisper) -> None:
    words = words_of(whisper.tokenizer, "ja", timed(whisper, "客観的実在の判断"), CHUNK)
    assert len(words) > 1
    assert "".join(word.text for word in words) == "客観的実在の判断"


def test_a_word_lasts_from_its_first_token_to_its_last(whisper: Whisper) -> None:
    tokens = timed(whisper, " incomprehensibilities")
    (only,) = words_of(whisper.tokenizer, "en", tokens, CHUNK)
    assert len(tokens) > 1
    assert (only.start, only.end) == (0.0, pytest.approx(0.2 * len(tokens)))
    assert len(only.logprobs) == len(tokens)


def test_no_word_is_as_long_as_the_pause_behind_it(whisper: Whisper) -> None:
    (only,) = words_of(whisper.tokenizer, "en", timed(whisper, " stop", step=9.0), CHUNK)
    assert only.end == LONGEST_WORD_S


def test_segments_end_at_pauses_and_where_a_region_of_speech_ends() -> None:
    words = [word(" a", 0.0, 0.3), word(" b", 0.4, 0.8), word(" c", 1.8, 2.0), word(" d", 2.1, 2.4, region=1)]
    segments = segments_of(words)
    assert [segment.text for segment in segments] == ["a b", "c", "d"]
    assert [(segment.start, segment.end) for segment in segments] == [(0.0, 0.8), (1.8, 2.0), (2.1, 2.4)]
    assert segments_of([]) == []


def test_confidence_is_the_geometric_mean_of_the_tokens() -> None:
    (segment,) = segments_of([word(" a", 0, 0.1, probability=0.9), word(" b", 0.1, 0.2, probability=0.4)])
    assert segment.confidence == pytest.approx(0.6)
