"""What speaks against believing a decoding."""

from __future__ import annotations

import pytest

from processors.asr.gates import compression_ratio, doubtful, failed_gate, is_phrase, normalised
from processors.asr.whisper import Decoded


def decoded(logprob: float = -0.2, no_speech: float = 0.0) -> Decoded:
    return Decoded((1, 2), logprob, no_speech)


def test_clear_speech_passes() -> None:
    assert failed_gate("ask what you can do for your country", decoded()) is None
    assert not doubtful("ask what you can do for your country", decoded())


def test_words_that_go_round_in_circles_are_a_repetition() -> None:
    assert failed_gate("and then " * 30, decoded()) == "repetition"


def test_a_person_may_say_a_word_three_times() -> None:
    assert failed_gate("no, no, no!", decoded()) is None


def test_improbable_words_are_of_low_confidence() -> None:
    assert failed_gate("mumble", decoded(-1.2)) == "low_confidence"


@pytest.mark.parametrize("doubt", [decoded(-0.9), decoded(no_speech=0.5)])
def test_doubt_begins_before_a_gate_closes(doubt: Decoded) -> None:
    assert failed_gate("well", doubt) is None
    assert doubtful("well", doubt)


def test_nothing_has_no_compression_ratio() -> None:
    assert compression_ratio("") == 0.0


def test_case_marks_and_width_do_not_matter() -> None:
    assert normalised(" Thank you… ") == "thank you"
    assert normalised("ＴＨＡＮＫ\u3000you!") == "thank you"
    assert normalised("ご視聴ありがとうございました。") == "ご視聴ありがとうございました"


def test_a_phrase_is_known_alone_and_said_again_but_not_within_a_sentence() -> None:
    phrases = {"thank you"}
    assert is_phrase("Thank you.", phrases)
    assert is_phrase("Thank you. Thank you.", phrases)
    assert not is_phrase("Thank you for coming", phrases)
    assert not is_phrase("", phrases)
    assert not is_phrase("...", phrases)
