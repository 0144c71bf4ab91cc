"""What is heard: the same alone and in any batch, nothing in silence, and nothing that nobody said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.asr.chunks import RATE, Chunk, Span
from processors.asr.gates import normalised
from processors.asr.listener import Heard, Listener, Request, SoundInput
from processors.asr.options import Check
from processors.asr.whisper import Decoded, Mel, States, TimedToken, Whisper

Samples = NDArray[np.float32]
WORDS = "ask what you can do for your country"


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.float32)


def noise(seconds: float, loudness: float = 0.05) -> Samples:
    return (np.random.default_rng(3).standard_normal(int(seconds * RATE)) * loudness).astype(np.float32)


def text_of(heard: Heard) -> str:
    return normalised(" ".join(judged.segment.text for judged in heard.segments if judged.unsafe is None))


def hear(listener: Listener, *sounds: Samples) -> list[Heard]:
    return listener.hear([Request(listener.prepare(sound)) for sound in sounds])


def test_what_is_said_is_heard_with_its_times(listener: Listener, speech: Samples) -> None:
    (heard,) = hear(listener, np.concatenate([silence(5), speech, silence(5)]))
    assert text_of(heard) == WORDS
    assert heard.language == "en"
    words = [word for judged in heard.segments for word in judged.segment.words]
    assert 4.9 <= words[0].start <= words[-1].end <= 8.6
    assert all(one.start <= other.start for one, other in pairwise(words))
    assert all(word.start <= word.end for word in words)


def test_a_sound_is_heard_the_same_alone_and_at_any_place_of_a_batch(listener: Listener, speech: Samples) -> None:
    # Short and long windows, short and long texts, and speech that is hard to hear.
    sounds = [
        speech,
        np.concatenate([speech, silence(1), speech]),
        np.concatenate([speech, noise(11, 0.01), speech[: 2 * RATE]]),
        speech + noise(len(speech) / RATE)[: len(speech)],
        silence(2),
        speech[::-1].copy(),
    ]
    alone = [hear(listener, sound)[0] for sound in sounds]
    assert hear(listener, *sounds) == alone
    assert hear(listener, *sounds[::-1]) == alone[::-1]


@pytest.mark.parametrize(
    "sound",
    [
        silence(3),
        noise(8, 0.001),
        noise(8, 0.2),
        (0.2 * np.sin(2 * np.pi * 50 * np.arange(8 * RATE) / RATE)).astype(np.float32),
        silence(0),
        noise(0.001),
        np.full(RATE, np.nan, np.float32),
        np.full(RATE, np.inf, np.float32),
    ],
    ids=["silence", "faint noise", "loud noise", "hum", "empty", "16 samples", "nan", "inf"],
)
def test_where_nobody_speaks_nothing_is_heard(listener: Listener, sound: Samples) -> None:
    (heard,) = hear(listener, sound)
    assert text_of(heard) == ""


def test_speech_in_several_chunks_is_heard_to_its_end(listener: Listener, speech: Samples) -> None:
    samples = np.concatenate([speech, silence(40), speech])
    regions = (Span(0, len(speech)), Span(len(samples) - len(speech), len(samples)))
    chunks = tuple(Chunk((region,)) for region in regions)
    mels = tuple(listener.prepare(chunk.cut(samples)).mels[0] for chunk in chunks)
    (heard,) = listener.hear([Request(SoundInput(samples, regions, chunks, mels))])
    assert text_of(heard) == f"{WORDS} {WORDS}"
    assert heard.segments[-1].segment.end > 45


def test_words_said_twice_are_heard_twice(listener: Listener, speech: Samples) -> None:
    (heard,) = hear(listener, np.concatenate([speech, speech]))
    assert text_of(heard) == f"{WORDS} {WORDS}"


def test_a_pinned_language_is_the_language(listener: Listener, speech: Samples) -> None:
    (heard,) = listener.hear([Request(listener.prepare(speech), ("de", 0.9))])
    assert (heard.language, heard.language_confidence) == ("de", 0.9)


class Script:
    """A model that says what it is told to, chunk by chunk."""

    def __init__(self, whisper: Whisper, *says: tuple[str, float, float]) -> None:
        """`says`: (text, mean log-probability, no speech) of each decoding to come; the last stays."""
        self.tokenizer = whisper.tokenizer
        self.says = list(says)
        self.decodings: list[tuple[int, bool]] = []

    def mel(self, samples: Samples) -> Mel:
        return np.zeros((1, 10), np.float32)

    def encode(self, windows: Sequence[Mel]) -> States:
        return np.zeros((len(windows), 5, 1))

    def detect(self, states: States) -> list[tuple[str, float]]:
        return [("en", 0.9)] * len(states)

    def decode(self, states: States, languages: Sequence[str], *, again: bool = False) -> list[Decoded]:
        self.decodings.append((len(states), again))
        return [self._next() for _ in languages]

    def align(self, states: States, language: str, text: Sequence[int], seconds: float) -> list[TimedToken]:
        return [TimedToken(token, 0.1, 0.2, 0.5) for token in text]

    def _next(self) -> Decoded:
        text, logprob, no_speech = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return Decoded(tuple(self.tokenizer.encode(text, add_special_tokens=False).ids), logprob, no_speech)


GOOD, DOUBTFUL, BAD = -0.2, -0.8, -1.5


def scripted(script: Script, around: Samples, check: Check = "suspicious") -> list[str | None]:
    """Why each segment of a second of speech is unsafe; `around`: what else is in the sound."""
    samples = np.concatenate([around, noise(1), around])
    region = Span(len(around), len(around) + RATE)
    chunk = Chunk((region,))
    sound = SoundInput(samples, (region,), (chunk,), (script.mel(samples),))
    listener = Listener(script, {"en": frozenset({"thank you"})}, check=check, windows=4)
    return [judged.unsafe for judged in listener.hear([Request(sound)])[0].segments]


def test_clear_words_are_decoded_once(whisper: Whisper) -> None:
    script = Script(whisper, (" I will find you", GOOD, 0.0))
    assert scripted(script, noise(3)) == [None]
    assert script.decodings == [(1, False)]


def test_what_fails_a_gate_is_decoded_again_and_believed_if_it_passes(whisper: Whisper) -> None:
    script = Script(whisper, (" la" * 60, GOOD, 0.0), (" I will find you", GOOD, 0.0))
    assert scripted(script, silence(3)) == [None]
    assert script.decodings == [(1, False), (1, True)]


def test_what_fails_twice_is_unsafe_and_says_why(whisper: Whisper) -> None:
    assert scripted(Script(whisper, (" la" * 60, GOOD, 0.0)), silence(3)) == ["repetition"]
    assert scripted(Script(whisper, (" mumble", BAD, 0.0)), silence(3)) == ["low_confidence"]


def test_doubtful_words_that_stay_when_speech_is_silenced_are_phantoms(whisper: Whisper) -> None:
    script = Script(whisper, (" I will find you", DOUBTFUL, 0.0), (" Music", DOUBTFUL, 0.0))
    assert scripted(script, noise(3)) == ["phantom"]


def test_doubtful_words_are_believed_when_silencing_speech_leaves_nothing(whisper: Whisper) -> None:
    script = Script(whisper, (" I will find you", DOUBTFUL, 0.0), ("", BAD, 0.9))
    assert scripted(script, noise(3)) == [None]


def test_a_rest_of_mere_silence_is_not_heard_again(whisper: Whisper) -> None:
    script = Script(whisper, (" I will find you", DOUBTFUL, 0.0))
    assert scripted(script, silence(3)) == [None]
    assert script.decodings == [(1, False)]


def test_somebody_who_clearly_says_thank_you_is_heard(whisper: Whisper) -> None:
    assert scripted(Script(whisper, (" Thank you.", GOOD, 0.0)), silence(3)) == [None]
    assert scripted(Script(whisper, (" Thank you.", GOOD, 0.0), ("", BAD, 0.9)), noise(3)) == [None]


@pytest.mark.parametrize(("logprob", "no_speech"), [(DOUBTFUL, 0.0), (GOOD, 0.7)])
def test_a_doubtful_thank_you_is_what_the_model_says_to_silence(
    whisper: Whisper, logprob: float, no_speech: float
) -> None:
    assert scripted(Script(whisper, (" Thank you.", logprob, no_speech)), silence(3)) == ["phantom"]


def test_always_hears_clear_words_again_and_only_the_same_words_speak_against_them(whisper: Whisper) -> None:
    other = Script(whisper, (" I will find you", GOOD, 0.0), (" Music", GOOD, 0.0))
    assert scripted(other, noise(3), "always") == [None]
    assert other.decodings == [(1, False), (1, False)]
    same = Script(whisper, (" I will find you", GOOD, 0.0))
    assert scripted(same, noise(3), "always") == ["phantom"]
