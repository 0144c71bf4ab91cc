"""The image expert that ships, on pictures drawn here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from processors.encode import ImageRunner, cut_out, open_image_expert
from processors.encode.picture import Pixels
from processors.packs import Pack, load_pack
from processors.packs.image_part import ImageExpert

EMBEDDED = Path(__file__).parents[2] / "models" / "embedded"


def drawn() -> list[Pixels]:
    """A landscape, a page of writing, a chequerboard, a face of circles, noise and plain black: none is sexual."""
    land = np.zeros((300, 400, 3), np.uint8)
    land[:150], land[150:] = (120, 180, 240), (60, 140, 60)
    cv2.circle(land, (320, 60), 30, (255, 230, 120), -1)
    page = np.full((500, 350, 3), 255, np.uint8)
    for line in range(12):
        cv2.putText(page, "some words on a page", (20, 40 + 36 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    board = (np.indices((256, 256)).sum(0) // 32 % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    face = np.full((200, 200, 3), (90, 160, 220), np.uint8)
    cv2.circle(face, (100, 100), 80, (250, 220, 40), -1)
    for x in (70, 130):
        cv2.circle(face, (x, 80), 10, (0, 0, 0), -1)
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    return [land, page, board, face, noise, np.zeros((50, 800, 3), np.uint8)]


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(EMBEDDED)


@pytest.fixture(scope="module")
def expert(pack: Pack) -> ImageExpert:
    assert pack.manifest.image is not None
    return pack.manifest.image


@pytest.fixture(scope="module")
def runner(pack: Pack, expert: ImageExpert) -> ImageRunner:
    return open_image_expert(pack, expert, threads=2)[1]


def test_drawn_pictures_are_not_sexual(pack: Pack, expert: ImageExpert, runner: ImageRunner) -> None:
    scores, statistics = runner.run([cut_out(picture, expert.input) for picture in drawn()])
    assert pack.labels_of("image") == ("sexual",)
    calibration, threshold = expert.calibration["sexual"], pack.thresholds["sexual"]
    for one in scores:
        assert (one.logits.shape, one.features.shape) == ((1,), (expert.features_size,))
        probability = 1 / (1 + np.exp(-(one.logits[0] + calibration.bias) / calibration.temperature))
        assert probability < threshold / 2
    assert (statistics.runs, statistics.rows) == (len(scores), len(scores))


def test_pictures_are_told_apart(expert: ImageExpert, runner: ImageRunner) -> None:
    scores, _ = runner.run([cut_out(picture, expert.input) for picture in drawn()])
    features = np.stack([one.features for one in scores])
    assert (features >= 0).all()  # behind a Relu
    near: NDArray[np.float64] = np.corrcoef(features) - np.eye(len(features))
    assert near.max() < 0.999


def test_a_picture_scores_the_same_alone_and_in_any_company(expert: ImageExpert, runner: ImageRunner) -> None:
    shown = [cut_out(picture, expert.input) for picture in drawn()]
    together, _ = runner.run(shown)
    reversed_, _ = runner.run(shown[::-1])
    for picture, first, second in zip(shown, together, reversed_[::-1], strict=True):
        [alone], _ = runner.run([picture])
        for other in (first, second):
            np.testing.assert_array_equal(alone.logits, other.logits)
            np.testing.assert_array_equal(alone.features, other.features)
