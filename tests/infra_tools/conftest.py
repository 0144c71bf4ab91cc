from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def promtool() -> str:
    return installed("promtool")


@pytest.fixture
def prometheus() -> str:
    return installed("prometheus")


def installed(program: str) -> str:
    """Its path; skips the test where it is not there."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed here (Debian has it in the package prometheus)")
    return found
