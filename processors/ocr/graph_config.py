"""`inference.yml`: what PaddleOCR writes beside an exported graph, and reads again to call it.

Only what changes a result is taken. Files may come from anywhere: they are read by the safe loader, sizes and types are
checked before anything is used, and what this code does not do as PaddleOCR would is refused, not ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from processors.packs import PackError

MAX_CONFIG_BYTES = 4 * 1024 * 1024
"""PP-OCRv6's 18,708 characters take 150 kB; nobody's alphabet is longer than Unicode, which takes 3 MB."""

MAX_CHARACTERS = 200_000

LINE_HEIGHTS = range(16, 129)
"""Heights of a line, in pixels, that a recogniser may ask for; PP-OCR's is 48."""

ChannelOrder = Literal["RGB", "BGR"]

# Indentation and block style cost the Python loader half a second for PP-OCRv6's characters.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FRACTION = re.compile(r"\s*([0-9.]+)\s*/\s*([0-9.]+)\s*\Z")


@dataclass(frozen=True, slots=True)
class DetectionConfig:
    """How a picture becomes the detection graph's input, and its probability map lines (Differentiable Binarization,
    Liao et al., arXiv:1911.08947)."""

    channels: ChannelOrder
    """Of the graph's input."""
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    """For each channel in the graph's order: (value * scale - mean) / std."""
    threshold: float
    """A place is text where its probability, 0..1, is above this."""
    box_threshold: float
    """The least mean probability within a line's box."""
    unclip_ratio: float
    """The network marks the heart of a line; its box grows by area * ratio / perimeter."""
    max_candidates: int
    """Marked places that are looked at."""


@dataclass(frozen=True, slots=True)
class RecognitionConfig:
    """How a line becomes the recognition graph's input, and what its classes stand for."""

    channels: ChannelOrder
    height: int
    """Of the input, in pixels."""
    characters: tuple[str, ...]
    """By class: the CTC blank (empty), the character list, then the space."""


def read_detection_config(path: Path) -> DetectionConfig:
    """Raises `PackError`: file, field, what is expected."""
    document = _Document(path)
    normalise = document.operation("NormalizeImage")
    post = document.section("PostProcess")
    document.expect("PostProcess.name", post.get("name"), "DBPostProcess")
    document.expect("PostProcess.box_type", post.get("box_type", "quad"), "quad")
    document.expect("PostProcess.use_dilation", post.get("use_dilation", False), False)
    std = document.triple("NormalizeImage.std", normalise.get("std", [0.229, 0.224, 0.225]))
    if min(std) <= 0:
        raise document.problem("NormalizeImage.std", f"{list(std)}; expected numbers above 0")
    return DetectionConfig(
        channels=document.channels(),
        scale=document.scale(normalise.get("scale", "1/255")),
        mean=document.triple("NormalizeImage.mean", normalise.get("mean", [0.485, 0.456, 0.406])),
        std=std,
        # PaddleX's own defaults, for exports that leave them out.
        threshold=document.number("PostProcess.thresh", post.get("thresh", 0.3), 0, 1),
        box_threshold=document.number("PostProcess.box_thresh", post.get("box_thresh", 0.6), 0, 1),
        unclip_ratio=document.number("PostProcess.unclip_ratio", post.get("unclip_ratio", 1.5), 0, 10),
        max_candidates=int(document.number("PostProcess.max_candidates", post.get("max_candidates", 1000), 1, 10_000)),
    )


def read_recognition_config(path: Path) -> RecognitionConfig:
    """Raises `PackError`: file, field, what is expected."""
    document = _Document(path)
    shape = document.operation("RecResizeImg").get("image_shape")
    if not isinstance(shape, list) or len(shape) != 3 or shape[0] != 3 or shape[1] not in LINE_HEIGHTS:  # pyright: ignore[reportUnknownArgumentType]
        reason = f"{shape!r}; expected [3, height, width] with a height of {LINE_HEIGHTS[0]} to {LINE_HEIGHTS[-1]}"
        raise document.problem("RecResizeImg.image_shape", reason)
    post = document.section("PostProcess")
    document.expect("PostProcess.name", post.get("name"), "CTCLabelDecode")
    characters: Any = post.get("character_dict")
    if not isinstance(characters, list) or not 0 < len(cast(list[Any], characters)) <= MAX_CHARACTERS:
        raise document.problem("PostProcess.character_dict", f"expected a list of 1 to {MAX_CHARACTERS:,} characters")
    # A character may be several code points (a base and its marks), but no more.
    if any(not isinstance(item, str) or not 0 < len(item) <= 8 for item in cast(list[Any], characters)):
        raise document.problem("PostProcess.character_dict", "expected quoted characters only, none of them empty")
    height = cast(int, shape[1])
    return RecognitionConfig(document.channels(), height, ("", *cast(list[str], characters), " "))


class _Document:
    """One `inference.yml`, with errors that name the place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_CONFIG_BYTES + 1)
        except OSError as error:
            raise self.problem(None, f"cannot be read: {error.strerror}; expected PaddleOCR's inference.yml") from None
        if len(raw) > MAX_CONFIG_BYTES:
            raise self.problem(None, f"more than {MAX_CONFIG_BYTES:,} bytes; expected PaddleOCR's inference.yml")
        try:
            root: Any = yaml.load(raw, Loader=_Loader)  # noqa: S506  # the safe loader, as C where it is built
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            first = str(error).partition("\n")[0]
            raise self.problem(None, f"not YAML: {first}; expected PaddleOCR's inference.yml") from None
        self._root = self._mapping(None, root)

    def problem(self, field: str | None, reason: str) -> PackError:
        return PackError(self._path, field, reason)

    def section(self, name: str) -> Mapping[str, Any]:
        return self._mapping(name, self._root.get(name))

    def operation(self, name: str) -> Mapping[str, Any]:
        """The settings of one of the transforms."""
        operations: Any = self.section("PreProcess").get("transform_ops")
        if not isinstance(operations, list):
            raise self.problem("PreProcess.transform_ops", "expected a list")
        for operation in cast(list[Any], operations):
            if isinstance(operation, dict) and name in operation:
                return self._mapping(name, cast(dict[str, Any], operation)[name])
        raise self.problem("PreProcess.transform_ops", f"no {name}; expected it among the transforms")

    def channels(self) -> ChannelOrder:
        mode = self.operation("DecodeImage").get("img_mode")
        if mode not in ("RGB", "BGR"):
            raise self.problem("DecodeImage.img_mode", f"{mode!r}; expected RGB or BGR")
        return mode

    def expect(self, field: str, found: object, expected: object) -> None:
        if found != expected:
            raise self.problem(field, f"{found!r}; expected {expected!r}, nothing else is built")

    def number(self, field: str, value: object, least: float, most: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.problem(field, f"{value!r}; expected a number of {least} to {most}")
        return float(value)

    def triple(self, field: str, value: object) -> tuple[float, float, float]:
        numbers = cast(list[Any], value) if isinstance(value, list) else []
        if len(numbers) != 3:
            raise self.problem(field, f"{value!r}; expected three numbers")
        red, green, blue = (self.number(field, number, -1_000, 1_000) for number in numbers)
        return red, green, blue

    def scale(self, value: object) -> float:
        """PaddleOCR writes a Python expression, `1./255.`."""
        match = _FRACTION.match(value) if isinstance(value, str) else None
        try:
            found = float(match[1]) / float(match[2]) if match else value
        except (ValueError, ZeroDivisionError):
            found = value
        return self.number("NormalizeImage.scale", found, 0, 1_000)

    def _mapping(self, field: str | None, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.problem(field, "expected a mapping")
        return cast(dict[str, Any], value)
