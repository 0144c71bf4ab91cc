"""Samples of a training run: the same after a stop, in the shares that a phase asks for, evenly over sets."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from models_export.text_expert.functional import Functional  # noqa: E402
from models_export.text_expert.heads import HEADS  # noqa: E402
from models_export.text_expert.samples import STRETCH, Balance, Samples, Shares, row_weights  # noqa: E402
from processors.packs import load_pack  # noqa: E402
from tests.tiny_pack import write_tiny_pack  # noqa: E402

PLAIN = Shares(noise=0.0, untagged=0.0, functional=0.0)
SIZE = 4


def frame(*sets: tuple[str, int]) -> Any:
    texts = [(name, f"hello world {at}") for name, count in sets for at in range(count)]
    return pd.DataFrame([{"dataset": name, "lang": "en", "text": text, "context": ""} for name, text in texts])


def judged(rows: int) -> np.ndarray:
    """Every fourth row is abuse."""
    values = np.full((rows, len(HEADS)), np.nan, np.float32)
    values[:, 0] = np.arange(rows) % 4 == 0
    return values


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    pack = load_pack(write_tiny_pack(tmp_path_factory.mktemp("packs") / "tiny"))
    rows = frame(("one", 40), ("two", 40))
    return Samples(
        rows,
        judged(len(rows)),
        [0, 1],
        pack.layout,
        pack.load_tokenizer(),
        balance=Balance(100, 0.5),
        functional=Functional.shipped(),
    )


def test_a_run_that_goes_on_sees_the_batches_that_it_would_have_seen(samples: Samples) -> None:
    shares = Shares(noise=0.5, untagged=0.5, functional=0.5)
    whole = list(islice(samples.batches(3, 0, SIZE, shares), STRETCH + 6))
    for first in (5, STRETCH - 1, STRETCH + 3):
        rest = list(islice(samples.batches(3, first, SIZE, shares), 3))
        for one, other in zip(whole[first : first + 3], rest, strict=True):
            assert np.array_equal(one.ids, other.ids)
            assert np.array_equal(one.targets, other.targets, equal_nan=True)


def test_another_seed_draws_others(samples: Samples) -> None:
    one, other = (next(samples.batches(seed, 0, SIZE, PLAIN)) for seed in (3, 4))
    assert one.ids.shape != other.ids.shape or not np.array_equal(one.ids, other.ids)


def test_only_sentences_of_ours_judge_hate_here(samples: Samples) -> None:
    for share, expected in ((0.0, 0.0), (1.0, 1.0), (0.25, pytest.approx(0.25, abs=0.1))):
        shares = Shares(noise=0.0, untagged=0.0, functional=share)
        drawn = np.concatenate([batch.targets for batch in islice(samples.batches(0, 0, SIZE, shares), 2 * STRETCH)])
        assert np.mean(~np.isnan(drawn[:, 1])) == expected


def test_small_sets_and_rare_classes_are_seen_more_often() -> None:
    rows = frame(("large", 400), ("small", 100))
    weights = row_weights(rows, judged(len(rows)), Balance(cap=400, power=0.5))
    assert weights.sum() == pytest.approx(1)
    assert weights[:400].sum() == pytest.approx(2 * weights[400:].sum())
    abuse = np.arange(400) % 4 == 0
    assert weights[:400][abuse].max() == pytest.approx(np.sqrt(3) * weights[:400][~abuse].max())


def test_rows_over_the_cap_count_no_further() -> None:
    rows = frame(("large", 400), ("small", 100))
    weights = row_weights(rows, judged(len(rows)), Balance(cap=100, power=1.0))
    assert weights[:400].sum() == pytest.approx(weights[400:].sum())
