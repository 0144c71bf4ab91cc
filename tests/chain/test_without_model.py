"""Packs that lack a model: their posts are never approved unread or unheard."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from processors.chain import UNHEARD, UNREAD, run_chain
from processors.without_model import WithoutModel
from schemas import Modality, Record, Stage, Status
from tests.pictured import Shot, with_pictures

READING = WithoutModel(Stage.OCR, "ocr", UNREAD)
HEARING = WithoutModel(Stage.ASR, "speech", UNHEARD)


@pytest.mark.parametrize(
    ("stage", "modality", "setting"), [(READING, "ocr", "ocr.models"), (HEARING, "speech", "asr.model")]
)
def test_a_pack_without_the_model_fails_the_modality_of_every_post_that_comes_to_the_stage(
    stage: WithoutModel, modality: str, setting: str
) -> None:
    record = replace(with_pictures(Shot(), text="hello"), route=(stage.stage,))
    (outcome,) = run_chain([stage], [record])
    assert isinstance(outcome, Record)
    assert outcome.modalities[modality].status is Status.FAILED
    assert setting in str(outcome.modalities[modality].reason)


def test_what_fetch_said_of_the_pictures_is_still_told() -> None:
    broken = {"ocr": Modality(status=Status.FAILED, reason="m-2: truncated")}
    record = replace(with_pictures(Shot()), route=(Stage.OCR,), modalities=broken)
    (outcome,) = run_chain([READING], [record])
    assert isinstance(outcome, Record)
    assert str(outcome.modalities["ocr"].reason).startswith("m-2: truncated; the model pack")
