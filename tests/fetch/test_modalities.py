from __future__ import annotations

from processors.fetch.modalities import Fate, Part, media_modalities
from processors.media.decoder import Gap
from schemas import MediaKind, Modality, Status

TEXT = {"text": Modality(status=Status.OK)}
WELL = Part()


def broken(reason: str = "x") -> Part:
    return Part(Gap(reason=reason, failed=True))


def in_part(reason: str = "x") -> Part:
    return Part(Gap(reason=reason))


def statuses(*fates: Fate) -> dict[str, str]:
    return {name: modality.status.value for name, modality in media_modalities({}, fates).items()}


def picture(gap: Part = WELL, media_id: str = "m") -> Fate:
    return Fate(media_id, gap, None)


def lost(kind: MediaKind) -> Fate:
    return Fate.alike("m", kind, Gap(reason="x", failed=True))


def test_a_picture_that_is_well_leaves_its_modalities_to_later_stages() -> None:
    assert statuses(picture()) == {"speech": "absent"}


def test_a_video_that_is_well_leaves_all_to_later_stages() -> None:
    assert statuses(Fate("m", WELL, WELL)) == {}


def test_items_that_fail_as_a_whole_fail_the_modalities_of_their_kind() -> None:
    assert statuses(lost("image")) == {"ocr": "failed", "image": "failed", "speech": "absent"}
    assert statuses(lost("audio")) == {"ocr": "absent", "image": "absent", "speech": "failed"}
    assert statuses(lost("video")) == {"ocr": "failed", "image": "failed", "speech": "failed"}


def test_each_part_of_a_video_fares_by_itself() -> None:
    assert statuses(Fate("m", broken(), WELL)) == {"ocr": "failed", "image": "failed"}
    assert statuses(Fate("m", WELL, broken())) == {"speech": "failed"}
    assert statuses(Fate("m", in_part(), broken())) == {"ocr": "partial", "image": "partial", "speech": "failed"}


def test_a_video_without_sound_has_none() -> None:
    assert statuses(Fate("m", WELL, None)) == {"speech": "absent"}
    assert statuses(Fate("m", WELL, None), Fate("n", None, WELL)) == {}


def test_one_failed_item_of_several_fails_the_modality_and_is_named() -> None:
    found = media_modalities({}, [picture(media_id="a"), picture(broken("it is empty"), "b")])
    assert found["image"] == Modality(status=Status.FAILED, reason="b: it is empty")
    assert found["ocr"] == found["image"]


def test_failure_is_worse_than_a_part_left_out_and_both_are_told() -> None:
    found = media_modalities({}, [picture(in_part("some frames"), "a"), picture(broken(), "b")])
    assert found["image"] == Modality(status=Status.FAILED, reason="b: x; a: some frames")
    assert statuses(picture(in_part()))["image"] == "partial"


def test_other_modalities_stay_and_what_was_said_of_media_before_does_not() -> None:
    before = {**TEXT, "image": Modality(status=Status.FAILED, reason="old"), "ocr": Modality(status=Status.ABSENT)}
    assert media_modalities(before, [picture()]) == {**TEXT, "speech": Modality(status=Status.ABSENT)}


def test_reasons_are_bounded_whatever_a_post_holds() -> None:
    found = media_modalities({}, [picture(broken("it is empty"), "n" * 256)] * 100)
    reason = found["image"].reason or ""
    assert reason.endswith("; and 95 more")
    assert len(reason) < 500
