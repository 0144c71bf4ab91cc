from __future__ import annotations

from pathlib import Path

import pytest

from processors.ocr.models import OcrGraphs, open_graphs
from processors.packs import Pack, load_pack

EMBEDDED = Path(__file__).resolve().parents[2] / "models" / "embedded"


@pytest.fixture(scope="session")
def embedded() -> Pack:
    return load_pack(EMBEDDED)


@pytest.fixture(scope="session")
def graphs(embedded: Pack) -> OcrGraphs:
    """PP-OCR's graphs of the embedded pack, on two lanes."""
    return open_graphs(embedded, None, device="cpu", threads=2)
