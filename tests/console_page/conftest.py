"""A real browser that reports everything that went wrong in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.console_page.double import Double
from tests.console_page.watched import Watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "console-screenshots"

Open = Callable[..., Watched]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-infra does")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on the PATH: Debian's package chromium has it")
    # Chromium's sandbox refuses root, whom containers of tests often run as.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def double() -> Iterator[Double]:
    server = Double()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Opens `url` in a window of its own; at the end no page may have logged an error or broken the CSP."""
    opened: list[Watched] = []

    def open_one(url: str, *, width: int = 1440, height: int = 900, theme: str = "dark", **options: Any) -> Watched:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, locale="en", timezone_id="UTC", **options
        )
        watched = Watched(context)
        opened.append(watched)
        watched.page.goto(url)
        return watched

    yield open_one
    complaints = [complaint for watched in opened for complaint in watched.complaints()]
    for watched in opened:
        watched.close()
    assert complaints == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS
