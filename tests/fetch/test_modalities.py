from __future__ import annotations

from processors.fetch.modalities import Fate, media_modalities
from schemas import MediaKind, Modality, Status

TEXT = {"text": Modality(status=Status.OK)}


def statuses(*fates: Fate) -> dict[str, str]:
    return {name: modality.status.value for name, modality in media_modalities({}, fates).items()}


def fate(kind: MediaKind, failed: str | None = None, partial: str | None = None, media_id: str = "m") -> Fate:
    return Fate(media_id, kind, failed, partial)


def test_a_picture_that_is_well_leaves_its_modalities_to_later_stages() -> None:
    assert statuses(fate("image")) == {"speech": "absent"}


def test_failed_items_fail_the_modalities_of_their_kind() -> None:
    assert statuses(fate("image", "x")) == {"ocr": "failed", "image": "failed", "speech": "absent"}
    assert statuses(fate("audio", "x")) == {"ocr": "absent", "image": "absent", "speech": "failed"}
    assert statuses(fate("video", "x")) == {"ocr": "failed", "image": "failed", "speech": "failed"}


def test_one_failed_item_of_several_fails_the_modality_and_is_named() -> None:
    found = media_modalities({}, [fate("image", media_id="a"), fate("image", "it is empty", media_id="b")])
    assert found["image"] == Modality(status=Status.FAILED, reason="b: it is empty")
    assert found["ocr"] == found["image"]


def test_failure_is_worse_than_a_part_left_out_and_both_are_told() -> None:
    found = media_modalities({}, [fate("image", partial="some frames", media_id="a"), fate("image", "x", media_id="b")])
    assert found["image"] == Modality(status=Status.FAILED, reason="b: x; a: some frames")
    assert statuses(fate("image", partial="some frames"))["image"] == "partial"


def test_other_modalities_stay_and_what_was_said_of_media_before_does_not() -> None:
    before = {**TEXT, "image": Modality(status=Status.FAILED, reason="old"), "ocr": Modality(status=Status.ABSENT)}
    assert media_modalities(before, [fate("image")]) == {**TEXT, "speech": Modality(status=Status.ABSENT)}


def test_reasons_are_bounded_whatever_a_post_holds() -> None:
    found = media_modalities({}, [fate("image", "it is empty", media_id="n" * 256)] * 100)
    reason = found["image"].reason or ""
    assert reason.endswith("; and 95 more")
    assert len(reason) < 500
