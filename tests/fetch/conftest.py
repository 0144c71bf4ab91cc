from __future__ import annotations

from pathlib import Path

import pytest

from processors.media.store import MediaStore


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore.open(str(tmp_path / "store"))
