"""What may be set about reading pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OcrOptions:
    """Names, defaults and ranges as in the settings (`ocr.*`)."""

    models: Path | None = None
    """Folder with `detection/` and `recognition/` as PaddleOCR exports them; None for the pack's own."""
    detection_side: int = 1_024
    """Long side, in pixels, at which lines are looked for."""
    min_confidence: float = 0.5
    """A line read with less confidence than this, in 0..1, counts as not read."""
    min_chars: int = 2
    """Lines of fewer characters are left out."""
    max_lines: int = 200
    """Lines read in a picture."""
    cache_pictures: int = 4_096
    """Pictures whose reading is remembered."""
    tessdata: Path | None = None
    """Folder of Tesseract's data, for scripts that the recogniser lacks."""
