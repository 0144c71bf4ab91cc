"""The encode stage: the same numbers for a post alone, in any batch and in any order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.contract import ProcessingError
from processors.encode import EncodeProcessor, TextExpertModel
from processors.engines import BucketedRunner, EngineStatistics, IsolatedRunner
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from schemas import Record
from tests.ingested import ingested, post_of, received

TEXTS = (
    "you are all scum",
    "hello world",
    "the cat sat on the mat . " * 9,
    "good day",
    "😀",
    "you s-c-u-m",
    "vermin",
    "@some_one see https://example.org",
)


def encoded(encoder: EncodeProcessor, batch: Sequence[Record]) -> list[Record]:
    outcomes = encoder.process([encoder.prepare(record) for record in batch])
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


def packed(packer: PackProcessor, texts: Sequence[str]) -> list[Record]:
    return [packer.prepare(ingested(received(post_of(text)), disguised=True)) for text in texts]


@pytest.fixture(scope="module", params=["batch", "row"])
def stages(
    request: pytest.FixtureRequest, pack: Pack, leaky_pack: Pack, encoder: EncodeProcessor
) -> tuple[PackProcessor, EncodeProcessor]:
    """Both ways in which a pack's graph may be isolated."""
    if request.param == "batch":
        # What a GPU runs; on a CPU every pack's rows run alone.
        model = TextExpertModel(encoder.engine, pack.manifest.text)
        runner = BucketedRunner(model, pad=pack.layout.pad, max_tokens=24, max_rows=5)
        return PackProcessor(pack), EncodeProcessor(encoder.engine, runner, graph="text")
    return PackProcessor(leaky_pack), EncodeProcessor.of(leaky_pack, threads=2)


@settings(max_examples=30)
@given(batch=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=12))
def test_a_post_gets_the_same_logits_in_any_company(
    stages: tuple[PackProcessor, EncodeProcessor], batch: list[str]
) -> None:
    packer, encoder = stages
    together = encoded(encoder, packed(packer, batch))
    for text, record in zip(batch, together, strict=True):
        [alone] = encoded(encoder, packed(packer, [text]))
        assert record.encode is not None
        assert alone.encode is not None
        np.testing.assert_allclose(record.encode.logits, alone.encode.logits, rtol=0, atol=1e-6)
        np.testing.assert_allclose(record.encode.embedding, alone.encode.embedding, rtol=0, atol=1e-6)


def test_every_window_has_its_logits_and_the_post_the_embedding_of_its_worst_window(
    packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    text = "the cat sat on the mat . " * 5 + "you are scum"
    [record] = encoded(encoder, packed(packer, [text]))
    assert record.pack is not None
    assert record.encode is not None
    assert record.encode.logits.shape == (len(record.pack.windows), 3)
    assert record.encode.logits.dtype == np.float32
    worst = int(record.encode.logits[:, 0].argmax())
    assert worst == len(record.pack.windows) - 1
    assert record.encode.embedding[0] == 1.0  # the mark of a bad word; every other window has -1
    assert record.encode.engine == "CPUExecutionProvider"


def test_a_record_without_windows_passes_untouched(packer: PackProcessor, encoder: EncodeProcessor) -> None:
    blank, spoken = packed(packer, [" ", "hello"])
    first, second = encoded(encoder, [blank, spoken])
    assert first is blank
    assert second.encode is not None
    [alone] = encoded(encoder, [blank])
    assert alone.encode is None


def test_the_cost_is_the_number_of_tokens(packer: PackProcessor, encoder: EncodeProcessor) -> None:
    [record] = packed(packer, ["you are all good"])
    assert record.pack is not None
    assert encoder.cost(record) == sum(len(window.ids) for window in record.pack.windows) == 4 + 4
    assert encoder.cost(received(post_of("hello"))) == 0


def test_a_record_that_pack_has_not_seen_is_an_error(encoder: EncodeProcessor) -> None:
    with pytest.raises(ProcessingError, match="expected pack to run before encode"):
        encoder.prepare(received(post_of("hello")))


def test_statistics_count_the_work_and_not_the_warm_up(pack: Pack, packer: PackProcessor) -> None:
    encoder = EncodeProcessor.of(pack, threads=1)
    assert encoder.statistics == EngineStatistics()
    encoded(encoder, packed(packer, ["hello", "good day"]))
    assert (encoder.statistics.runs, encoder.statistics.rows) == (2, 2)


def test_logits_that_are_no_numbers_are_the_items_fault_alone(packer: PackProcessor, encoder: EncodeProcessor) -> None:
    def model(ids: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, ...]:
        logits = np.zeros((len(ids), 3), np.float32)
        if ids.shape[1] > 8:
            logits[:] = np.nan
        return logits, np.zeros((len(ids), 8), np.float32)

    broken = EncodeProcessor(encoder.engine, IsolatedRunner(model, 1), graph="text")
    good, bad = broken.process(packed(packer, ["hello", "the cat sat on the mat . "]))
    assert isinstance(good, Record)
    assert isinstance(bad, ProcessingError)
    assert bad.cause == "poison"
