"""A picture becomes exactly what the manifest says."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from processors.encode.picture import as_input, cut_out
from processors.packs.image_part import ImageInput


def expected(**changes: Any) -> ImageInput:
    given: dict[str, Any] = {
        "tensor": {"name": "pictures", "dtype": "float32"},
        "layout": "nhwc",
        "channels": "rgb",
        "resize": 64,
        "size": 48,
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
    }
    return msgspec.convert({**given, **changes}, ImageInput)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height + width).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (480, 640), (30, 30), (1, 1), (2, 3_000), (3_000, 2)])
def test_a_picture_of_any_size_gives_a_cut_out_of_the_one_size(size: tuple[int, int]) -> None:
    found = cut_out(noise(*size), expected())
    assert (found.shape, found.dtype) == ((48, 48, 3), np.uint8)
    assert found.flags.owndata  # the rest of the picture may go


def test_the_middle_is_cut_out() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[8:56, 8:56] = 200
    assert (cut_out(picture, expected()) == 200).all()


def test_it_is_the_preprocessing_that_open_nsfw_was_trained_with() -> None:
    """Resize by Pillow, JPEG of Pillow's default quality, crop, BGR, mean: the steps of yahoo/open_nsfw."""
    picture = np.asarray(Image.fromarray(noise(90, 120)).resize((500, 400)))
    resized = Image.fromarray(picture).resize((256, 256), Image.Resampling.BILINEAR)
    written = io.BytesIO()
    resized.save(written, format="JPEG")
    decoded = np.asarray(Image.open(written).convert("RGB"), np.float32)
    own = decoded[16:240, 16:240, ::-1] - np.array([104, 117, 123], np.float32)

    how = expected(resize=256, size=224, jpeg_quality=75, channels="bgr", mean=[104.0, 117.0, 123.0])
    np.testing.assert_array_equal(as_input([cut_out(picture, how)], how)[0], own)


def test_layout_channels_mean_std_and_dtype_are_the_manifests() -> None:
    picture = np.zeros((48, 48, 3), np.uint8)
    picture[..., 0], picture[..., 2] = 250, 10
    how = expected(
        layout="nchw",
        channels="bgr",
        mean=[10.0, 0.0, 50.0],
        std=[2.0, 1.0, 4.0],
        tensor={"name": "pictures", "dtype": "float16"},
    )
    found = as_input([picture, picture], how)
    assert (found.shape, found.dtype) == ((2, 3, 48, 48), np.float16)
    assert found[1, :, 0, 0].tolist() == [0.0, 0.0, 50.0]
