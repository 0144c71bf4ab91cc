"""Whisper on CTranslate2: sound in, tokens, their probabilities and their times out. The one place that calls it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import ctranslate2
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray
from tokenizers import Tokenizer

from processors.asr.chunks import MAX_SAMPLES, RATE, WINDOW_S
from processors.engines import Device, EngineError, EngineStatistics

# The libraries have no types.
_ct2 = cast(Any, ctranslate2)
_FeatureExtractor = cast(Any, FeatureExtractor)

FRAMES_A_SECOND = 100
TOKENS_A_SECOND = FRAMES_A_SECOND // 2
"""The encoder halves them; times of words are as fine as that, 20 ms."""

COMPUTE_TYPES: Mapping[Device, str] = {"cpu": "int8", "cuda": "float16"}

SIDE_BY_SIDE = 2
"""Calls at the same time: the lanes of short and of long posts."""

MAX_LENGTH = 228
"""Tokens of a window, the four of the prompt among them: half of the model's context, as OpenAI's own decoding has it.
Nobody says more in 30 s; what repeats itself ends here."""

BEAMS = 5
REPETITION_PENALTY = 1.1
NO_REPEAT_TOKENS = 4
"""For chunks that are decoded again: four tokens that stood before do not come again. People do repeat words; the
first decoding has no such rule."""

LONGEST_CODE = 3
"""Of a language; other marks are words such as `transcribe`."""

LEAST_SILENCE_S = 2
"""After the speech in a short window: with less, the model goes on after its end and says it twice."""

Mel = NDArray[np.float32]
"""Shape [bins, frames]."""

States = NDArray[Any]
"""What the encoder makes of windows, shape [windows, frames / 2, width]."""


@dataclass(frozen=True, slots=True)
class Decoded:
    tokens: tuple[int, ...]
    """Of text, without marks."""
    mean_logprob: float
    """Of the tokens and the end, natural logarithm."""
    no_speech: float
    """Probability that there is no speech in the window."""


@dataclass(frozen=True, slots=True)
class TimedToken:
    token: int
    start: float
    end: float
    """In seconds from the start of the window."""
    probability: float


class Whisper:
    """A window's results do not depend on the windows beside it. Safe to call from several threads."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        device: Device,
        compute_type: str = "auto",
        threads: int,
        windows_s: Sequence[int] = (WINDOW_S,),
    ) -> None:
        """`files`: of a model in CTranslate2's format. `threads`: of a single call, on a CPU. `windows_s`: lengths of
        windows, in seconds; each sound gets the shortest that it fits in.

        Raises `EngineError` where the model does not load on the device: there is no falling back.
        """
        device = "cuda" if device == "tensorrt" else device
        kind = COMPUTE_TYPES[device] if compute_type == "auto" else compute_type
        try:
            self._model: Any = _ct2.models.Whisper(
                "whisper",
                device=device,
                compute_type=kind,
                intra_threads=threads,
                inter_threads=SIDE_BY_SIDE,
                files=dict(files),
            )
            self.tokenizer: Tokenizer = Tokenizer.from_buffer(files["tokenizer.json"])
        except Exception as error:  # the libraries raise RuntimeError, ValueError and bare Exceptions
            raise EngineError(f"whisper does not load on {device} as {kind}: {error}") from error
        self.engine = f"{device} {self._model.compute_type}"
        """The device and type of numbers, as records show it."""
        self._windows_s = sorted(windows_s)
        self.multilingual: bool = self._model.is_multilingual
        self._mel: Any = _FeatureExtractor(**_mel_options(files, self._model.n_mels))
        self._end = self._token("<|endoftext|>")
        self._statistics = {"speech_encoder": EngineStatistics(), "speech_decoder": EngineStatistics()}
        self._lock = threading.Lock()

    @property
    def statistics(self) -> dict[str, EngineStatistics]:
        """What both halves have done since the start. `tokens` are frames for the encoder."""
        with self._lock:
            return dict(self._statistics)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes as the model has them (`en`, `yue`)."""
        if not self.multilingual:
            return ("en",)
        marks = (token[2:-2] for token in self.tokenizer.get_vocab() if token.startswith("<|") and token.endswith("|>"))
        return tuple(sorted(mark for mark in marks if mark.isalpha() and mark.islower() and len(mark) <= LONGEST_CODE))

    def mel(self, samples: NDArray[np.float32]) -> Mel:
        """Log-mel features of at most 30 s, filled up with silence to the length of a window."""
        samples = samples[:MAX_SAMPLES]
        needed = len(samples) + LEAST_SILENCE_S * RATE
        seconds = next((seconds for seconds in self._windows_s if needed <= seconds * RATE), WINDOW_S)
        frames = seconds * FRAMES_A_SECOND
        found: Mel = self._mel(samples)[:, :frames]
        # Zeros after the logarithm was scaled, which are about silence: as faster-whisper does it.
        return np.pad(found, ((0, 0), (0, frames - found.shape[1]))).astype(np.float32)

    def encode(self, windows: Sequence[Mel]) -> States:
        """`windows`: all of one length. Raises `EngineError`."""
        with self._metered("speech_encoder", len(windows), sum(window.shape[1] for window in windows)):
            return np.array(self._model.encode(_view(np.stack(windows)), to_cpu=True))

    def detect(self, states: States) -> list[tuple[str, float]]:
        """(language, probability) of each window. Raises `EngineError`."""
        if not self.multilingual:
            return [("en", 1.0)] * len(states)
        with self._metered("speech_decoder", len(states), len(states)):
            found: list[list[tuple[str, float]]] = self._model.detect_language(_view(states))
        return [(best[0][0][2:-2], float(best[0][1])) for best in found]

    def decode(self, states: States, languages: Sequence[str], *, again: bool = False) -> list[Decoded]:
        """What is said in each window, in its language. `again`: more carefully, and with repetition made dear.

        Nothing is drawn at random. Raises `EngineError`.
        """
        careful = (
            {"beam_size": BEAMS, "repetition_penalty": REPETITION_PENALTY, "no_repeat_ngram_size": NO_REPEAT_TOKENS}
            if again
            else {"beam_size": 1}
        )
        prompts = [self._prompt(language) for language in languages]
        with self._metered("speech_decoder", len(states), 0):
            results = self._model.generate(
                _view(states),
                prompts,
                max_length=MAX_LENGTH,
                return_scores=True,
                return_no_speech_prob=True,
                **careful,
            )
        return [self._decoded(result) for result in results]

    def align(self, states: States, language: str, text: Sequence[int], seconds: float) -> list[TimedToken]:
        """When each token is said, by the attention of the decoder's alignment heads (OpenAI Whisper, `timing.py`).

        `states`: of one window. `text`: not empty. `seconds`: how much of the window is sound. Raises `EngineError`.
        """
        # Whole steps of the encoder, and at least one.
        frames = 2 * min(states.shape[1], max(1, round(TOKENS_A_SECOND * seconds)))
        with self._metered("speech_decoder", 1, len(text)):
            (result,) = self._model.align(_view(states), self._prompt(language)[:-1], [list(text)], frames)
        return _timed(result, text)

    def _decoded(self, result: Any) -> Decoded:
        ids: list[int] = result.sequences_ids[0]
        # The score is the sum divided by the number of tokens; the end, which is not among them, counts in the sum.
        mean = float(result.scores[0]) * len(ids) / (len(ids) + 1) if ids else float(result.scores[0])
        text = tuple(token for token in ids if token < self._end)
        return Decoded(text, mean, min(1.0, float(result.no_speech_prob)))

    def _prompt(self, language: str) -> list[int]:
        marks = ["<|startoftranscript|>"]
        marks += [f"<|{language}|>", "<|transcribe|>"] if self.multilingual else []
        return [self._token(mark) for mark in (*marks, "<|notimestamps|>")]

    def _token(self, mark: str) -> int:
        found = self.tokenizer.token_to_id(mark)
        if found is None:
            raise EngineError(f"whisper's tokenizer.json has no token {mark}; expected that of the model")
        return found

    def _metered(self, half: str, rows: int, tokens: int) -> _Metered:
        return _Metered(self, half, rows, tokens)

    def add(self, half: str, ran: EngineStatistics) -> None:
        with self._lock:
            self._statistics[half] += ran


@dataclass(slots=True)
class _Metered:
    """A call of the library: its time, and its faults as `EngineError`."""

    whisper: Whisper
    half: str
    rows: int
    tokens: int
    began: float = 0.0

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError | ValueError):
            raise EngineError(f"whisper failed on {self.rows} windows: {error}") from error
        took = time.perf_counter() - self.began
        self.whisper.add(self.half, EngineStatistics(1, self.rows, self.tokens, took))


def _timed(result: Any, text: Sequence[int]) -> list[TimedToken]:
    path = np.array(result.alignments, np.int64).reshape(-1, 2)
    probabilities: list[float] = result.text_token_probs
    # A token begins where the path first comes to it; the last mark ends the last token.
    starts = path[np.searchsorted(path[:, 0], np.arange(len(text) + 1)).clip(max=len(path) - 1), 1] / TOKENS_A_SECOND
    return [
        TimedToken(token, float(starts[at]), float(starts[at + 1]), min(1.0, float(probabilities[at])))
        for at, token in enumerate(text)
    ]


def _view(array: NDArray[Any]) -> Any:
    return _ct2.StorageView.from_array(np.ascontiguousarray(array))


def _mel_options(files: Mapping[str, bytes], bins: int) -> dict[str, int]:
    known = {"feature_size", "sampling_rate", "hop_length", "chunk_length", "n_fft"}
    stated = json.loads(files.get("preprocessor_config.json", b"{}"))
    return {**{name: value for name, value in stated.items() if name in known}, "feature_size": bins}
