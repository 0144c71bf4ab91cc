from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny_pack import write_tiny_pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny pack that the test may spoil."""
    return write_tiny_pack(tmp_path / "tiny")
