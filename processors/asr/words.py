"""Tokens become words with times, and words become segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from faster_whisper.tokenizer import Tokenizer as WordSplitter
from tokenizers import Tokenizer

from processors.asr.chunks import Chunk
from processors.asr.whisper import TimedToken

# The library has no types.
_WordSplitter = cast(Any, WordSplitter)

PAUSE_S = 0.6
"""A longer one ends a segment; between words of a sentence they are shorter."""

LONGEST_WORD_S = 2.0
"""Attention lets the word before a pause last as long as the pause; nobody's word is longer than this."""

OPENING = "\"'“¿([{-「『"
CLOSING = "\"'.。,，!！?？:：”)]}、」』"
"""Marks that belong to the word after them, and to the word before them (as faster-whisper has them)."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """In seconds of the sound."""

    text: str
    """With its leading space, where the language has one."""
    start: float
    end: float
    region: int
    logprobs: tuple[float, ...]
    """Of its tokens."""


@dataclass(frozen=True, slots=True)
class HeardSegment:
    words: tuple[HeardWord, ...]

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()

    @property
    def start(self) -> float:
        return self.words[0].start

    @property
    def end(self) -> float:
        return max(word.end for word in self.words)

    @property
    def confidence(self) -> float:
        """exp of the mean log-probability of its tokens."""
        return confidence_of([logprob for word in self.words for logprob in word.logprobs])


def confidence_of(logprobs: Sequence[float]) -> float:
    return float(min(1.0, np.exp(np.mean(logprobs))))


def words_of(tokenizer: Tokenizer, language: str, timed: Sequence[TimedToken], chunk: Chunk) -> list[HeardWord]:
    """The words of a chunk, in order, with their marks of punctuation."""
    splitter = _WordSplitter(tokenizer, True, task="transcribe", language=language)
    texts: list[str]
    groups: list[list[int]]
    texts, groups = splitter.split_to_word_tokens([token.token for token in timed])
    pieces: list[tuple[str, list[TimedToken]]] = []
    at = 0
    for text, group in zip(texts, groups, strict=True):
        pieces.append((text, list(timed[at : at + len(group)])))
        at += len(group)
    return [_word(text, tokens, chunk) for text, tokens in _with_marks(pieces) if text.strip()]


def _with_marks(pieces: Sequence[tuple[str, list[TimedToken]]]) -> list[tuple[str, list[TimedToken]]]:
    """Marks of punctuation with the word that they belong to."""
    joined: list[tuple[str, list[TimedToken]]] = []
    opening = False
    for text, tokens in pieces:
        bare = text.strip()
        closes = bool(bare) and all(mark in CLOSING for mark in bare) and not text.startswith(" ")
        if joined and (opening or closes):
            joined[-1] = (joined[-1][0] + text, [*joined[-1][1], *tokens])
        else:
            joined.append((text, tokens))
        opening = text.startswith(" ") and bool(bare) and all(mark in OPENING for mark in bare)
    return joined


def _word(text: str, tokens: Sequence[TimedToken], chunk: Chunk) -> HeardWord:
    start = tokens[0].start
    end = min(max(token.end for token in tokens), start + LONGEST_WORD_S)
    region, first, last = chunk.in_sound(start, max(start, end))
    logprobs = tuple(float(np.log(max(token.probability, 1e-10))) for token in tokens)
    return HeardWord(text, first, last, region, logprobs)


def segments_of(words: Sequence[HeardWord]) -> list[HeardSegment]:
    """Runs of words within a region of speech, without a longer pause."""
    runs: list[list[HeardWord]] = []
    for word in words:
        last = runs[-1][-1] if runs else None
        if last is not None and last.region == word.region and word.start - last.end <= PAUSE_S:
            runs[-1].append(word)
        else:
            runs.append([word])
    return [HeardSegment(tuple(run)) for run in runs]
