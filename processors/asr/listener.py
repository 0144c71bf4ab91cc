"""Hearing what is said: the chunks of many posts together, each as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, TypeVar

import numpy as np
from tokenizers import Tokenizer

from processors.asr.activity import Samples, speech_regions
from processors.asr.chunks import RATE, Chunk, Span, merged
from processors.asr.gates import Unsafe, doubtful, failed_gate, is_phrase
from processors.asr.options import Check
from processors.asr.phantom import Phrases, phrases_of, same_words, silenced
from processors.asr.whisper import Decoded, Mel, States, TimedToken
from processors.asr.words import HeardSegment, segments_of, words_of

T = TypeVar("T")

UNHEARD_S = 2.5
"""Of speech without words at the end of a chunk: more than a pause, and about a short sentence."""

LEAST_PROGRESS_S = 2.0
"""By which what is left must be shorter, so that a chunk is heard some ten times at most."""

Language = tuple[str, float]
"""Code as the model has it, and probability."""


class SpeechModel(Protocol):
    """`Whisper`, as it is asked here."""

    @property
    def tokenizer(self) -> Tokenizer: ...

    def mel(self, samples: Samples) -> Mel: ...

    def encode(self, windows: Sequence[Mel]) -> States: ...

    def detect(self, states: States) -> list[Language]: ...

    def decode(self, states: States, languages: Sequence[str], *, again: bool = False) -> list[Decoded]: ...

    def align(self, states: States, language: str, text: Sequence[int], seconds: float) -> list[TimedToken]: ...


@dataclass(frozen=True, slots=True, eq=False)
class SoundInput:
    """A sound, where somebody speaks in it, and what the model hears of that. Made ahead, on any thread."""

    samples: Samples
    regions: tuple[Span, ...]
    chunks: tuple[Chunk, ...]
    mels: tuple[Mel, ...]
    """Of each chunk."""

    @property
    def speech_seconds(self) -> float:
        return sum(region.length for region in self.regions) / RATE


@dataclass(frozen=True, slots=True)
class Request:
    """A sound to be heard, in a language, or in its own."""

    sound: SoundInput
    language: Language | None = None
    """Where it is pinned."""


@dataclass(frozen=True, slots=True)
class JudgedSegment:
    segment: HeardSegment
    no_speech: float
    unsafe: Unsafe | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said in a sound, in seconds of the sound."""

    segments: tuple[JudgedSegment, ...]
    speech_seconds: float
    language: str | None = None
    """None without speech."""
    language_confidence: float = 0.0

    @property
    def pinned(self) -> Language | None:
        """What else of the same post is heard in; None without speech."""
        return None if self.language is None else (self.language, self.language_confidence)


@dataclass(slots=True, eq=False)
class _Part:
    """A chunk on its way."""

    request: int
    sound: SoundInput
    chunk: Chunk
    mel: Mel
    language: str = ""
    decoded: Decoded | None = None
    text: str = ""
    unsafe: Unsafe | None = None
    segments: list[HeardSegment] = field(default_factory=list[HeardSegment])


class Listener:
    """A sound is heard the same alone and in any batch. Safe to call from several threads."""

    def __init__(self, model: SpeechModel, phantoms: Phrases, *, check: Check, windows: int) -> None:
        """`phantoms`: what the model says to silence. `windows`: at most in one run."""
        self._model = model
        self._phantoms = phantoms
        self._check = check
        self._windows = windows

    def warm_up(self) -> None:
        """The first run allocates, and loads what detection and alignment need."""
        silence = np.zeros(RATE, np.float32)
        speech_regions(silence)
        states = self._model.encode([self._model.mel(silence)])
        self._model.decode(states, [language for language, _ in self._model.detect(states)])

    def prepare(self, samples: Samples) -> SoundInput:
        """Raises nothing for any samples."""
        regions = speech_regions(samples)
        chunks = merged(regions)
        return SoundInput(samples, regions, chunks, tuple(self._model.mel(chunk.cut(samples)) for chunk in chunks))

    def hear(self, requests: Sequence[Request]) -> list[Heard]:
        """Raises `EngineError` where a run fails, for all of them."""
        languages = [request.language for request in requests]
        parts = [
            _Part(at, request.sound, chunk, mel)
            for at, request in enumerate(requests)
            for chunk, mel in zip(request.sound.chunks, request.sound.mels, strict=True)
        ]
        # The chunk with most speech says the language of its sound, so these come first.
        leading = {id(_leading(own)) for own in _by_request(parts, len(requests)) if own}
        done: list[_Part] = []
        while parts:
            # Beside its like, a chunk does not wait for a longer one to be decoded.
            order = sorted(parts, key=lambda part: (id(part) not in leading, part.chunk.length))
            self._hear_all(order, languages)
            done += parts
            parts = [rest for part in parts if (rest := self._rest(part)) is not None]
        return [
            _heard(request, own, language)
            for request, own, language in zip(requests, _by_request(done, len(requests)), languages, strict=True)
        ]

    def _hear_all(self, order: Sequence[_Part], languages: list[Language | None]) -> None:
        """Fills in what is heard in each part, and the languages of the requests."""
        for run in _runs(order, self._windows, lambda part: part.mel.shape[1]):
            states = self._model.encode([part.mel for part in run])
            undetected = [row for row, part in enumerate(run) if languages[part.request] is None]
            if undetected:
                for row, found in zip(undetected, self._model.detect(states[undetected]), strict=True):
                    languages[run[row].request] = languages[run[row].request] or found
            self._hear(run, states, [_given(languages[part.request])[0] for part in run])

    def _rest(self, part: _Part) -> _Part | None:
        """What is left of a chunk that the model stopped listening to: words said again, it likes to write once."""
        if not part.segments:
            return None
        chunk = part.chunk.after(part.segments[-1].end, UNHEARD_S)
        if chunk is None or part.chunk.length - chunk.length < LEAST_PROGRESS_S * RATE:
            return None
        return _Part(part.request, part.sound, chunk, self._model.mel(chunk.cut(part.sound.samples)))

    def _hear(self, run: Sequence[_Part], states: States, languages: Sequence[str]) -> None:
        """Fills in what is heard in each part."""
        decodings = self._model.decode(states, languages)
        for part, language, decoded in zip(run, languages, decodings, strict=True):
            part.language, part.decoded = language, decoded
            part.text = self._text(decoded)
            part.unsafe = failed_gate(part.text, decoded)
        self._decode_again(run, states)
        self._look_for_phantoms(run)
        self._time(run, states)

    def _decode_again(self, run: Sequence[_Part], states: States) -> None:
        rows = [row for row, part in enumerate(run) if part.unsafe is not None]
        if not rows:
            return
        again = self._model.decode(states[rows], [run[row].language for row in rows], again=True)
        for row, decoded in zip(rows, again, strict=True):
            part, text = run[row], self._text(decoded)
            failed = failed_gate(text, decoded)
            # Where both fail, the likelier one is shown to people; a failed repetition stays one.
            if failed is None or decoded.mean_logprob > _given(part.decoded).mean_logprob:
                part.decoded, part.text, part.unsafe = decoded, text, failed

    def _look_for_phantoms(self, run: Sequence[_Part]) -> None:
        looked: list[tuple[_Part, bool, Mel]] = []
        for part in run:
            if not part.text.strip():
                continue
            doubt = part.unsafe is not None or doubtful(part.text, _given(part.decoded))
            phrase = is_phrase(part.text, phrases_of(self._phantoms, part.language))
            if phrase and doubt:
                part.unsafe = "phantom"
            elif doubt or phrase or self._check == "always":
                rest = silenced(part.sound.samples, part.chunk, part.sound.regions)
                if rest is not None:
                    looked.append((part, doubt, self._model.mel(rest)))
        for few in _runs(looked, self._windows, lambda item: item[2].shape[1]):
            states = self._model.encode([mel for _, _, mel in few])
            still = self._model.decode(states, [part.language for part, _, _ in few])
            for (part, doubt, _), decoded in zip(few, still, strict=True):
                words = self._text(decoded)
                if same_words(part.text, words) or (doubt and words.strip()):
                    part.unsafe = "phantom"

    def _time(self, run: Sequence[_Part], states: States) -> None:
        """Word times, one by one: the library's alignment of a text moves with the longer texts beside it."""
        for row, part in enumerate(run):
            if part.text.strip():
                tokens = _given(part.decoded).tokens
                timed = self._model.align(states[row : row + 1], part.language, tokens, part.chunk.seconds)
                part.segments = segments_of(words_of(self._model.tokenizer, part.language, timed, part.chunk))

    def _text(self, decoded: Decoded) -> str:
        return self._model.tokenizer.decode(list(decoded.tokens))


def _leading(parts: Sequence[_Part]) -> _Part:
    return max(parts, key=lambda part: part.chunk.length)


def _by_request(parts: Sequence[_Part], requests: int) -> list[list[_Part]]:
    own: list[list[_Part]] = [[] for _ in range(requests)]
    for part in parts:
        own[part.request].append(part)
    return own


def _heard(request: Request, parts: Sequence[_Part], language: Language | None) -> Heard:
    segments = tuple(
        JudgedSegment(segment, _given(part.decoded).no_speech, part.unsafe)
        for part in parts
        for segment in part.segments
    )
    code, confidence = language if parts and language is not None else (None, 0.0)
    # What was left of a chunk was heard last.
    segments = tuple(sorted(segments, key=lambda judged: judged.segment.start))
    return Heard(segments, request.sound.speech_seconds, code, confidence)


def _runs(items: Sequence[T], size: int, frames: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """Items of one length of window together, at most `size` of them, in order."""
    for _, alike in groupby(items, frames):
        same = list(alike)
        for start in range(0, len(same), size):
            yield same[start : start + size]


def _given(value: T | None) -> T:
    """What an earlier step has filled in."""
    if value is None:
        raise ValueError("a chunk was judged before it was heard")
    return value
