from __future__ import annotations

from msgspec.structs import replace

from processors.chain import run_chain
from processors.ocr.unread import UnreadPictures
from schemas import Modality, Record, Stage, Status
from tests.pictured import Shot, with_pictures


def test_a_pack_that_cannot_read_pictures_fails_the_modality_of_every_post_that_has_some() -> None:
    record = replace(with_pictures(Shot(), text="hello"), route=(Stage.OCR,))
    (outcome,) = run_chain([UnreadPictures()], [record])
    assert isinstance(outcome, Record)
    assert outcome.modalities["ocr"].status is Status.FAILED
    assert "ocr.models" in str(outcome.modalities["ocr"].reason)


def test_what_fetch_said_of_the_pictures_is_still_told() -> None:
    broken = {"ocr": Modality(status=Status.FAILED, reason="m-2: truncated")}
    record = replace(with_pictures(Shot()), route=(Stage.OCR,), modalities=broken)
    (outcome,) = run_chain([UnreadPictures()], [record])
    assert isinstance(outcome, Record)
    assert str(outcome.modalities["ocr"].reason).startswith("m-2: truncated; the model pack")
