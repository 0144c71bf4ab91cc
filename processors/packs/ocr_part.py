"""The manifest's part on reading what is written in pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from processors.packs.parts import Figures, Origin, PackFile, Part, Probability, Tensor


class OcrGraph(Part, frozen=True, kw_only=True):
    """A graph and its description, side by side in a folder of their own, as PaddleOCR exports and loads them."""

    graph: PackFile
    """`inference.onnx`."""
    config: PackFile
    """`inference.yml`."""


class ScriptExpert(Part, frozen=True, kw_only=True):
    """Tells the script of a line, so that a recogniser is never believed on letters that it does not know."""

    graph: PackFile
    input: Tensor
    """Shape [lines, 1, height, width], grey, 0..1."""
    output: Tensor
    """Logits, shape [lines, scripts]."""
    height: Annotated[int, Meta(ge=8, le=256)]
    scripts: tuple[str, ...]
    """ISO 15924 code of each column; `Zxxx` stands for what is no writing, `Zyyy` for digits and punctuation alone."""
    threshold: Probability
    """A line is not read where the scripts that the recogniser lacks together have at least this probability."""
    origin: Origin
    figures: Figures = {}


class OcrModels(Part, frozen=True, kw_only=True):
    """PP-OCR graphs."""

    detection: OcrGraph
    recognition: OcrGraph
    reads: tuple[str, ...]
    """The scripts (ISO 15924) that the recogniser reads."""
    script: ScriptExpert | None = None
    origin: Origin
    figures: Figures = {}

    def files(self) -> Iterator[tuple[str, PackFile]]:
        """(field, file) of every file that this part names."""
        for name, part in (("detection", self.detection), ("recognition", self.recognition)):
            yield f"{name}.graph", part.graph
            yield f"{name}.config", part.config
        if self.script is not None:
            yield "script.graph", self.script.graph
