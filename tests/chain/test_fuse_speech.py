"""Decisions of posts with sound: what is said counts, is shown with its times, and is never approved unheard."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from processors.fuse import EvidenceLimits, FuseProcessor
from processors.fuse.scores import Judge
from processors.pack.features import FEATURES
from processors.packs import Pack
from processors.policy import Policy, parse_policy
from schemas import Action, AsrSection, Evidence, FetchSection, Modality, Record, Status
from tests.fused import LENIENT, Chain, decided
from tests.ingested import ingested, post_of, received
from tests.pictured import MEDIA, Shot, looked_at, with_pictures
from tests.spoken import Said, beside, with_sound

HARMLESS = (-9.0, -9.0)
GOOD, BAD = Said("hello world", 0.5, 2.0), Said("you scum", 3.0, 7.25, confidence=0.8)
PHANTOM = Said("thanks for watching", 2.0, 2.5, confidence=0.9, unsafe="phantom")


def spoken(evidence: tuple[Evidence, ...]) -> list[str | None]:
    return [piece.text for piece in evidence if piece.modality == "speech"]


def test_what_is_said_counts_like_what_is_posted(chain: Chain, fuser: FuseProcessor) -> None:
    decision = chain.decision(fuser, with_sound(GOOD, BAD, text="good day"))
    assert decision.action is not Action.APPROVE
    assert decision.flags == ("abuse", "hate")


def test_harmless_speech_that_was_heard_is_approved(chain: Chain, fuser: FuseProcessor) -> None:
    decision = chain.decision(fuser, with_sound(GOOD))
    assert decision.action is Action.APPROVE
    assert {name: part.status for name, part in decision.modalities.items()} == {
        "text": Status.ABSENT,
        "ocr": Status.ABSENT,
        "image": Status.ABSENT,
        "speech": Status.OK,
    }
    assert decision.modalities["speech"].weight == 1.0


def test_a_segment_without_its_neighbours_says_where_to_look_and_does_not_decide(
    chain: Chain, fuser: FuseProcessor
) -> None:
    record = chain.encoded(with_sound(GOOD, Said("good day", 3.0, 4.0)))
    assert record.pack is not None
    assert record.encode is not None
    logits = record.encode.logits.copy()
    logits[[at for at, window in enumerate(record.pack.windows) if window.segment == 1]] = 9.0
    decision = decided(fuser, replace(record, encode=replace(record.encode, logits=logits)))
    assert decision.action is Action.APPROVE
    assert [piece.score > 0.9 for piece in decision.evidence] == [False, True]


def test_every_segment_is_shown_with_its_times_its_own_score_and_how_well_it_was_heard(
    chain: Chain, fuser: FuseProcessor
) -> None:
    decision = chain.decision(fuser, with_sound(GOOD, BAD))
    good, bad = decision.evidence
    assert (good.modality, good.media_id, good.text, good.t_start, good.t_end) == (
        "speech",
        "s-1",
        "hello world",
        0.5,
        2.0,
    )
    assert (bad.text, bad.t_start, bad.t_end, bad.confidence) == ("you scum", 3.0, 7.25, 0.8)
    assert good.score < 0.1 < 0.9 < bad.score
    assert {reason.evidence for reason in decision.reasons} == {(1,)}


def test_a_single_segment_is_scored_by_the_window_that_shows_it(chain: Chain, fuser: FuseProcessor) -> None:
    [piece] = chain.decision(fuser, with_sound(BAD)).evidence
    assert piece.score > 0.9


def test_a_long_segment_is_scored_by_all_windows_that_show_it(chain: Chain, fuser: FuseProcessor) -> None:
    long = Said("the cat sat on the mat . " * 4 + "you scum", 3.0, 20.0)
    decision = chain.decision(fuser, with_sound(GOOD, long))
    assert [piece.score > 0.9 for piece in decision.evidence] == [False, True]


def test_segments_that_are_not_to_be_trusted_are_shown_in_their_place_and_speak_for_nothing(
    chain: Chain, fuser: FuseProcessor
) -> None:
    phantom = replace_text(PHANTOM, "you scum")
    record = with_sound(GOOD, BAD, phantom)
    unsafe = {"speech": Modality(status=Status.UNSAFE, reason="s-1: 1 segment is not to be trusted (phantom)")}
    decision = chain.decision(fuser, replace(record, modalities=unsafe))
    assert [(piece.text, piece.t_start, piece.confidence) for piece in decision.evidence] == [
        ("hello world", 0.5, 0.9),
        ("you scum", 2.0, 0.0),
        ("you scum", 3.0, 0.8),
    ]
    assert decision.evidence[1].score == 0.0
    assert {reason.evidence for reason in decision.reasons if reason.evidence} == {(2,)}
    assert decision.modalities["speech"].status is Status.UNSAFE


def test_what_is_not_to_be_trusted_does_not_score(chain: Chain, fuser: FuseProcessor) -> None:
    alone = chain.decision(fuser, with_sound(GOOD)).labels
    assert chain.decision(fuser, with_sound(GOOD, replace_text(PHANTOM, "you scum"))).labels == alone


def replace_text(said: Said, text: str) -> Said:
    return Said(text, said.t_start, said.t_end, said.confidence, said.unsafe)


def test_evidence_stands_in_the_order_of_text_lines_pictures_and_speech(chain: Chain, seer: FuseProcessor) -> None:
    record = beside(with_pictures(Shot(["you are", "all scum"]), text="you vermin"), GOOD, BAD)
    record = beside(record, Said("the cat", 0.0, 1.0), media_id="s-2")
    decision = decided(seer, looked_at(chain.encoded(record), [(4.0, 0.0)]))
    assert [(piece.modality, piece.media_id) for piece in decision.evidence] == [
        ("text", None),
        ("ocr", "m-1"),
        ("ocr", "m-1"),
        ("image", "m-1"),
        ("speech", "s-1"),
        ("speech", "s-1"),
        ("speech", "s-2"),
    ]


def test_over_the_limit_the_highest_scores_stay_in_the_order_of_time(chain: Chain, pack: Pack, policy: Policy) -> None:
    fuser = FuseProcessor(pack, policy, code="test", limits=EvidenceLimits(count=2))
    said = [Said(text, float(at), at + 0.9) for at, text in enumerate(["you scum", "hello", "vermin", "good day"])]
    assert spoken(chain.decision(fuser, with_sound(*said)).evidence) == ["you scum", "vermin"]


def test_speech_has_the_score_of_its_own_windows_and_a_confidence_less_by_what_was_badly_heard(
    chain: Chain, fuser: FuseProcessor
) -> None:
    parts = chain.decision(fuser, with_sound(BAD, text="hello world")).modalities
    alone = chain.decision(fuser, ingested(received(post_of("hello world")))).modalities["text"]
    assert (parts["text"].score, parts["text"].confidence) == (alone.score, alone.confidence)
    assert parts["speech"].score is not None
    assert parts["speech"].score > 0.9
    assert parts["speech"].confidence == round(parts["speech"].score * 0.8, 3)
    assert parts["speech"].weight is not None
    assert parts["speech"].weight > 0.9


def test_letters_that_the_vocabulary_lacks_lessen_the_confidence_in_speech(chain: Chain, fuser: FuseProcessor) -> None:
    said = Said("hello 漢字漢字漢", confidence=1.0)
    speech = chain.decision(fuser, with_sound(said)).modalities["speech"]
    assert speech.confidence is not None
    assert 0.4 < speech.confidence <= 0.5


@pytest.mark.parametrize("told", ["xx", "tlh"])
@pytest.mark.parametrize("text", [None, "hello world"])
def test_speech_in_a_language_that_the_pack_does_not_read_is_unsafe(
    chain: Chain, fuser: FuseProcessor, text: str | None, told: str
) -> None:
    decision = chain.decision(fuser, with_sound(GOOD, text=text, told=told))
    speech = decision.modalities["speech"]
    assert decision.action is Action.REVIEW
    assert (speech.status, speech.confidence) == (Status.UNSAFE, 0.0)
    assert f"the language of what is said ({told})" in (speech.reason or "")
    assert decision.flags == ("lang.unsupported",)


def test_the_language_of_a_post_without_words_to_read_is_that_of_its_speech(chain: Chain, fuser: FuseProcessor) -> None:
    assert chain.decision(fuser, with_sound(Said("der hund"), lang="und", told="de")).lang == "de"


def test_versions_name_what_heard_the_speech(chain: Chain, fuser: FuseProcessor) -> None:
    engines = chain.decision(fuser, with_sound(GOOD)).versions.engines
    assert engines == {"text": "CPUExecutionProvider", "asr": "cpu int8"}


def test_speech_is_what_the_text_expert_is_expected_to_judge(chain: Chain, pack: Pack) -> None:
    assert Judge(pack).expected(chain.encoded(with_sound(GOOD))) == {"abuse", "hate"}
    assert Judge(pack).expected(chain.encoded(with_sound())) == set()


# What nobody listened to


def test_sound_in_which_nobody_speaks_holds_nothing_back(chain: Chain, lenient: FuseProcessor) -> None:
    decision = chain.decision(lenient, with_sound(text="hello world"))
    assert decision.action is Action.APPROVE
    assert decision.modalities["speech"].status is Status.ABSENT


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_a_post_with_sound_that_the_asr_stage_was_left_out_for_is_reviewed(
    chain: Chain, seer: FuseProcessor, kind: str
) -> None:
    record = with_sound(text="hello world") if kind == "audio" else video(with_sound_of_its_own=True)
    decision = decided(seer, seen(chain.encoded(replace(record, asr=None))))
    assert decision.action is Action.REVIEW
    assert decision.modalities["speech"].status is Status.FAILED
    assert decision.modalities["speech"].reason == f"no stage of this chain reads speech in {kind}"


def test_a_sound_that_nobody_listened_to_is_a_gap(chain: Chain, lenient: FuseProcessor) -> None:
    record = beside(with_sound(GOOD), GOOD, media_id="s-2")
    assert record.asr is not None
    record = replace(record, asr=replace(record.asr, sounds=record.asr.sounds[:1]))
    decision = chain.decision(lenient, record)
    assert decision.action is Action.REVIEW
    assert decision.modalities["speech"].reason == "1 of 2 sounds were not listened to"


def test_segments_that_nothing_has_judged_are_a_gap_and_are_shown_all_the_same(
    chain: Chain, lenient: FuseProcessor
) -> None:
    decision = decided(lenient, replace(chain.encoded(with_sound(GOOD, BAD)), encode=None))
    assert decision.action is Action.REVIEW
    assert decision.modalities["speech"].reason == "no expert has judged what is said"
    assert [(piece.text, piece.score) for piece in decision.evidence] == [("hello world", 0.0), ("you scum", 0.0)]


def video(*, with_sound_of_its_own: bool = False, seconds: float | None = 60.0) -> Record:
    """A video with one frame, harmless text, and sound or none."""
    record = beside(with_pictures(text="hello world"), kind="video")
    assert record.fetch is not None
    [media] = record.fetch.media
    frame = with_pictures(Shot(media_id="s-1", t=0.0))
    assert frame.fetch is not None
    sound = media.sound if with_sound_of_its_own else None
    fetched = replace(media, pictures=frame.fetch.media[0].pictures, sound=sound, seconds=seconds)
    asr = record.asr if with_sound_of_its_own else None
    return replace(record, fetch=FetchSection(media=(fetched,)), ocr=frame.ocr, asr=asr)


def seen(record: Record) -> Record:
    return looked_at(record, [HARMLESS] * len(record.pictures)) if record.pictures else record


def test_a_video_that_was_seen_and_heard_is_approved(chain: Chain, seer: FuseProcessor) -> None:
    assert decided(seer, seen(chain.encoded(video(with_sound_of_its_own=True)))).action is Action.APPROVE


@pytest.mark.parametrize("said", [{}, {"speech": Modality(status=Status.ABSENT)}])
def test_a_video_without_sound_has_no_speech(chain: Chain, seer: FuseProcessor, said: dict[str, Modality]) -> None:
    decision = decided(seer, seen(chain.encoded(replace(video(), modalities=said))))
    assert decision.action is Action.APPROVE
    assert decision.modalities["speech"].status is Status.ABSENT


def test_a_silent_video_beside_a_recording_that_was_heard_is_no_gap(chain: Chain, seer: FuseProcessor) -> None:
    recording = with_sound(Said("good day"))
    assert recording.fetch is not None
    record = video()
    assert record.fetch is not None
    [heard] = recording.fetch.media
    fetch = FetchSection(media=(*record.fetch.media, replace(heard, media_id="s-2")))
    media = replace(recording.post.media[0], media_id="s-2")
    record = replace(
        record, post=replace(record.post, media=(*record.post.media, media)), fetch=fetch, asr=recording.asr
    )
    assert decided(seer, seen(chain.encoded(record))).modalities["speech"].status is Status.OK


def test_a_video_that_nobody_has_looked_into_for_sound_is_a_gap(chain: Chain, seer: FuseProcessor) -> None:
    decision = decided(seer, seen(chain.encoded(video(seconds=None))))
    assert decision.action is Action.REVIEW
    assert decision.modalities["speech"].status is Status.FAILED


def test_the_same_recording_twice_is_heard_once(chain: Chain, lenient: FuseProcessor) -> None:
    record = with_sound(GOOD)
    assert record.fetch is not None
    [heard] = record.fetch.media
    media = (*record.post.media, replace(record.post.media[0], media_id="s-2"))
    fetch = FetchSection(media=(heard, replace(heard, media_id="s-2", sound=None)))
    decision = chain.decision(lenient, replace(record, post=replace(record.post, media=media), fetch=fetch))
    assert decision.modalities["speech"].status is Status.OK


def test_the_cover_of_a_recording_that_nobody_looked_at_is_a_gap(chain: Chain, seer: FuseProcessor) -> None:
    record, cover = with_sound(GOOD), with_pictures(Shot(["hello"], media_id="s-1"))
    assert record.fetch is not None
    assert cover.fetch is not None
    [heard] = record.fetch.media
    fetch = FetchSection(media=(replace(heard, pictures=cover.fetch.media[0].pictures),))
    unseen = decided(seer, chain.encoded(replace(record, fetch=fetch)))
    assert unseen.modalities["ocr"].reason == "no stage of this chain reads ocr in audio"
    assert unseen.modalities["image"].status is Status.FAILED
    seen_too = decided(seer, seen(chain.encoded(replace(record, fetch=fetch, ocr=cover.ocr))))
    assert seen_too.action is Action.APPROVE


def test_a_recording_without_a_sound_is_a_gap_whatever_fetch_says(chain: Chain, lenient: FuseProcessor) -> None:
    record = with_sound(text="hello world")
    assert record.fetch is not None
    [media] = record.fetch.media
    record = replace(record, fetch=FetchSection(media=(replace(media, sound=None),)))
    assert chain.decision(lenient, record).modalities["speech"].status is Status.FAILED


@pytest.mark.parametrize("status", [Status.PARTIAL, Status.UNSAFE, Status.FAILED])
def test_what_an_earlier_stage_doubted_of_the_speech_stays_doubted_and_keeps_its_score(
    chain: Chain, lenient: FuseProcessor, status: Status
) -> None:
    doubted = replace(with_sound(GOOD), modalities={"speech": Modality(status=status, reason="why")})
    decision = chain.decision(lenient, doubted)
    assert decision.action is Action.REVIEW
    speech = decision.modalities["speech"]
    assert (speech.status, speech.reason) == (status, "why")
    assert speech.score is not None


def test_an_empty_section_heard_nothing(chain: Chain, lenient: FuseProcessor) -> None:
    record = ingested(received(post_of("hello world", media=[MEDIA["audio"]])))
    decision = chain.decision(lenient, replace(record, asr=AsrSection(sounds=())))
    assert decision.modalities["speech"].status is Status.FAILED


# Rules


def ruled(pack: Pack, when: str) -> FuseProcessor:
    rule = f"default: {{rules: {{r: {{when: '{when}', action: block, message: {{en: text}}}}}}}}"
    policy = parse_policy(LENIENT.replace("default: {}", rule).encode(), "rule.yaml", pack.thresholds, FEATURES)
    return FuseProcessor(pack, policy, code="test")


@pytest.mark.parametrize(
    "when",
    [
        "features.asr_segments >= 2.0",
        "features.asr_seconds > 5.0",
        'modalities.speech.status == "ok" && modalities.speech.confidence < 0.9',
    ],
)
def test_rules_may_ask_what_was_heard_of_any_post(chain: Chain, pack: Pack, when: str) -> None:
    fuser = ruled(pack, when)
    assert chain.decision(fuser, with_sound(GOOD, Said("good day", 3.0, 8.0, 0.5))).action is Action.BLOCK
    assert chain.decision(fuser, ingested(received(post_of("hello world")))).action is Action.APPROVE
    assert fuser.policy_errors == {}
