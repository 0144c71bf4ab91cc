"""How it looks: contrast, widths, themes, keys; and screenshots for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.console_page import scenes
from tests.console_page.conftest import Open
from tests.console_page.double import Double
from tests.console_page.watched import Watched, expect, show_content

pytestmark = pytest.mark.browser

VIEWS = {
    "overview": ("#/overview", ".stages tr"),
    "decisions": ("#/decisions", ".decision-row"),
    "post": ("#/post/p-text", "#labels"),
    "picture": ("#/post/p-picture", ".picture img"),
    "video": ("#/post/p-video", ".frame-tab"),
    "sound": ("#/post/p-sound", "audio"),
    "dead-letters": ("#/dead-letters", ".letter-row"),
}
AA = 4.5
"""The least contrast of ordinary text to its background, WCAG 2.2 level AA (1.4.3)."""

CONTRASTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, index) => value * a + below[index] * (1 - a));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(rgba(getComputedStyle(at).backgroundColor));
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    const frame = element.getBoundingClientRect();
    if (!text || frame.width < 2) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (element.closest(":disabled, [inert], .picture, .uplot, noscript")) continue;
    const below = behind(element);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), below)), light(below)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([Math.round(contrast * 100) / 100, `${element.tagName}.${element.className}: ${text.slice(0, 40)}`]);
  }
  return found;
}
"""


@pytest.fixture(autouse=True)
def posts(double: Double) -> None:
    scenes.fill(double)


def at_view(open_page: Open, double: Double, view: str, **how: Any) -> Watched:
    address, there = VIEWS[view]
    watched = open_page(double.url + address, **how)
    expect(watched.page.locator(there).first).to_be_attached()
    return watched


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_stands_out_from_what_is_behind_it(double: Double, open_page: Open, theme: str) -> None:
    for view in VIEWS:
        watched = at_view(open_page, double, view, theme=theme)
        contrasts = watched.page.evaluate(CONTRASTS)
        assert len(contrasts) > 20
        assert [found for found in contrasts if found[0] < AA] == [], view


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_view_fits_its_window_and_is_kept_as_a_picture(
    double: Double, open_page: Open, screenshots: Path, theme: str, width: int
) -> None:
    for view in VIEWS:
        watched = at_view(open_page, double, view, theme=theme, width=width)
        assert watched.overflow() <= 0, view
        if view in ("picture", "video", "sound"):
            show_content(watched.page)
            expect(watched.page.locator(".veil.is-down")).to_have_count(0)
            assert watched.overflow() <= 0, view
        expect(watched.page.locator("#link-state")).to_have_text("Live")
        watched.page.screenshot(path=screenshots / f"{view}-{theme}-{width}.png", full_page=True)
        assert watched.page.evaluate("document.documentElement.dataset.theme") == theme


def test_the_chosen_theme_stays(double: Double, open_page: Open) -> None:
    page = open_page(double.url, theme="dark").page
    expect(page.locator("#link-state")).to_have_text("Live")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_keys_are_listed_and_can_be_turned_off(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-text").page
    expect(page.locator("#feedback")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Verdict: approve")
    page.get_by_label("Single-key shortcuts are on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    assert page.locator("input[name='verdict']:checked").count() == 0
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts are on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.locator("h1")).to_have_text("Decisions")


def test_everything_on_the_post_view_is_reached_by_tab_with_a_visible_focus(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-picture").page
    show_content(page)
    expect(page.locator(".box")).to_have_count(2)
    seen: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
              const element = document.activeElement;
              const shown = element.matches(".choices input") ? element.nextElementSibling : element;
              return [element.outerHTML.slice(0, 120), getComputedStyle(shown).outlineStyle];
            }"""
        )
        if at[0].startswith("<body"):
            break
        assert at[1] != "none", at[0]
        seen.append(at[0])
    for part in (
        "Show where it is",
        'class="box',
        'name="verdict"',
        'name="comment"',
        'name="rating"',
        'type="submit"',
        'id="find"',
    ):
        assert any(part in element for element in seen), part


def test_motion_is_off_for_those_who_asked(double: Double, open_page: Open) -> None:
    page = open_page(double.url, reduced_motion="reduce").page
    expect(page.locator("#stream .button")).to_be_visible()
    assert page.locator("#stream .button").evaluate("(element) => getComputedStyle(element).transitionDuration") == "0s"


def test_the_page_asks_nobody_but_its_own_server(double: Double, open_page: Open) -> None:
    watched = open_page("about:blank")
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    watched.page.goto(double.url)
    expect(watched.page.locator("#link-state")).to_have_text("Live")
    watched.page.goto(double.url + "#/post/p-picture")
    expect(watched.page.locator(".picture img")).to_be_attached()
    assert len(asked) > 20
    assert [url for url in asked if not url.startswith(double.url)] == []
