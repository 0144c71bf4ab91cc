"""Pictures and sounds that are harder to read and hear, and mean the same to people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from faster_whisper import decode_audio
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models_export.evaluation.labelled_media import SuiteError
from processors.media.decoder.colours import to_rgb
from processors.media.wav import RATE
from processors.ocr.boxes import Region
from processors.ocr.detection import detection_input

Pixels = NDArray[np.uint8]
"""Shape [height, width, 3], RGB."""


class LineFinder(Protocol):
    """As `processors.ocr.detection.Detector`."""

    def detect(self, inputs: Sequence[Pixels], /) -> list[list[Region]]: ...


Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are the first that are outside."""

BLUR_SHARE = 0.08
"""Standard deviation of the blur, in heights of the line: letters lose their edges, and people still read them."""

JPEG_QUALITY = 10
"""Of 100, as after several rounds of sharing: blocks of 8 pixels show."""

SILENCE_S = 1.0
"""Inserted at each cut: longer than a pause between sentences."""

CUTS = 2
"""The sound is cut into thirds."""


def read_picture(path: Path) -> Pixels:
    """Upright, in whole size and the colours that the chain sees. Raises SuiteError for a file that is no picture."""
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            return np.ascontiguousarray(to_rgb(picture, max(picture.size)))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow's of broken files
        raise SuiteError(f"{path}: {error}; expected a picture") from None


def text_boxes(detector: LineFinder, picture: Pixels, side: int) -> list[Box]:
    """Where the detector sees lines, at the detection size that `side` means; upright boxes around them."""
    small = detection_input(picture, side)
    (height, width), (small_height, small_width) = picture.shape[:2], small.shape[:2]
    scale = np.array([width / small_width, height / small_height])
    found: list[Box] = []
    for region in detector.detect([small])[0]:
        corners = np.asarray(region.quad, np.float64) * scale
        left, top = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int).tolist()
        right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, (width, height)).astype(int).tolist()
        if right > left and bottom > top:
            found.append((left, top, right, bottom))
    return found


def blurred(part: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(part, (0, 0), max(0.5, BLUR_SHARE * part.shape[0])), np.uint8)


def recompressed(part: Pixels) -> Pixels:
    _, data = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


PICTURE_EDITS: dict[str, Callable[[Pixels], Pixels]] = {"blur": blurred, "jpeg": recompressed}


def degraded(picture: Pixels, boxes: Sequence[Box], name: str) -> Pixels:
    """The picture after the edit `name` within the boxes; everything else is as it was."""
    changed = picture.copy()
    for left, top, right, bottom in boxes:
        changed[top:bottom, left:right] = PICTURE_EDITS[name](np.ascontiguousarray(picture[top:bottom, left:right]))
    return changed


def png_of(picture: Pixels) -> bytes:
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return data.tobytes()


def read_sound(path: Path) -> NDArray[np.int16]:
    """Samples at 16 kHz, mono. Raises SuiteError for a file without sound."""
    try:
        heard = np.asarray(decode_audio(str(path), RATE), np.float32)
    except (OSError, ValueError, IndexError) as error:  # PyAV's errors are OSErrors and ValueErrors
        raise SuiteError(f"{path}: {error}; expected a file with sound") from None
    return np.clip(np.rint(heard * 32_768), -32_768, 32_767).astype(np.int16)


def with_silence(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Silence at each cut; all that is said is still there, though a cut may fall into a word."""
    silence = np.zeros(int(SILENCE_S * RATE), np.int16)
    parts = np.array_split(samples, CUTS + 1)
    return np.concatenate([part for third in parts for part in (third, silence)][:-1])
