"""What a post's `speech` modality says."""

from __future__ import annotations

from processors.asr.modality import mean_confidence, speech_modality
from schemas import AsrSegment, AsrSound, Modality, Status


def segment(start: float, end: float, *, unsafe: str | None = None, confidence: float = 0.9) -> AsrSegment:
    return AsrSegment(text="w", t_start=start, t_end=end, confidence=confidence, unsafe=unsafe)


def sound(*unsafe: AsrSegment, media_id: str = "m1") -> AsrSound:
    return AsrSound(media_id=media_id, object="0" * 64, segments=(segment(0, 1),), unsafe=unsafe)


def test_what_is_heard_well_is_ok() -> None:
    assert speech_modality([sound()], [], None) == Modality(status=Status.OK, confidence=0.9)


def test_what_cannot_be_trusted_is_unsafe_with_counts_and_times() -> None:
    doubts = [segment(3.2, 4, unsafe="phantom"), segment(7.1, 9, unsafe="repetition")]
    said = speech_modality([sound(*doubts)], [], None)
    assert said.status is Status.UNSAFE
    assert said.reason == (
        "m1: 2 segments are not to be trusted (1 heard without speech, 1 repeating itself): 3.2-4.0 s, 7.1-9.0 s"
    )


def test_a_long_list_of_doubts_is_cut() -> None:
    many = [
        sound(*[segment(at, at + 1, unsafe="low_confidence") for at in range(5)], media_id=f"m{n}") for n in range(6)
    ]
    reason = speech_modality(many, [], None).reason
    assert reason is not None
    assert "m0: 5 segments" in reason
    assert "2.0-3.0 s, 2 more; m1" in reason
    assert reason.endswith("and 2 more")


def test_missing_sound_is_worse_than_unsafe_and_nothing_is_weakened() -> None:
    doubt = sound(segment(1, 2, unsafe="phantom"))
    assert speech_modality([doubt], ["m2: gone"], None).status is Status.FAILED
    before = Modality(status=Status.FAILED, reason="m3: no container")
    said = speech_modality([doubt], [], before)
    assert said.status is Status.FAILED
    assert said.reason is not None
    assert said.reason.startswith("m3: no container; m1: 1 segment is")


def test_longer_segments_count_more_in_the_mean_confidence() -> None:
    assert mean_confidence([segment(0, 3, confidence=0.9), segment(3, 4, confidence=0.5)]) == 0.8
    assert mean_confidence([]) is None


def test_a_voice_in_which_no_word_was_heard_is_not_taken_for_silence() -> None:
    def voice(seconds: float) -> Modality:
        return speech_modality([AsrSound(media_id="m1", object="0" * 64, speech_seconds=seconds)], [], None)

    assert voice(2.9).status is Status.OK
    assert voice(7.25).status is Status.UNSAFE
    assert voice(7.25).reason == "m1: 7.2 s of voice in which no words could be told"
