"""Dead letters on the page: read as text, replayed after a question."""

from __future__ import annotations

import pytest

from tests.console_page import scenes
from tests.console_page.conftest import Open
from tests.console_page.double import Double
from tests.console_page.watched import expect

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def posts(double: Double) -> None:
    scenes.fill(double)


def test_a_letter_is_shown_as_text_behind_a_blur(double: Double, open_page: Open) -> None:
    watched = open_page(double.url + "#/dead-letters?cause=poison")
    page = watched.page
    expect(page.locator(".letters-list li")).to_have_count(1)
    expect(page.locator(".letters-list li")).to_contain_text("replayed")
    page.locator("button.letter-row").click()
    value = page.locator(".raw")
    expect(value).to_have_text(double.letters[3]["value"], use_inner_text=False)
    assert "blur" in page.locator(".letter-detail .veiled").evaluate("(element) => getComputedStyle(element).filter")
    page.locator(".letter-detail").get_by_role("button", name="Show").click()
    expect(page.locator(".letter-detail .veil.is-down")).to_have_count(0)
    assert page.locator("main script").count() == 0
    assert watched.dialogs == []


def test_replay_asks_first_and_tells_the_result_of_each(double: Double, open_page: Open) -> None:
    double.letters_failing[2, 17] = "it is no longer there"
    page = open_page(double.url + "#/dead-letters").page
    expect(page.locator(".letters-list li")).to_have_count(5)
    page.locator("li[data-place='0/41'] input").check()
    page.locator("li[data-place='2/17'] input").check()
    page.get_by_role("button", name="Replay 2").click()
    dialog = page.locator("#replay-dialog")
    expect(dialog).to_contain_text("Replay 2 dead letters?")
    expect(dialog).to_contain_text("they will fail again unless")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert double.received == []

    page.get_by_role("button", name="Replay 2").click()
    dialog.get_by_role("button", name="Replay 2 letters").click()
    expect(page.locator("li[data-place='0/41']")).to_contain_text("Sent through the chain again.")
    expect(page.locator("li[data-place='2/17']")).to_contain_text("Not replayed: it is no longer there")
    assert [(path, sent) for path, sent, _ in double.received] == [
        ("dead-letters/replay", {"places": [[0, 41], [2, 17]]})
    ]


def test_letters_are_chosen_and_opened_from_the_keyboard(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/dead-letters").page
    expect(page.locator(".letters-list li")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("li[data-place='2/17'] input")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator(".letter-detail")).to_contain_text("moderation.fetch")
    page.keyboard.press("r")
    expect(page.locator("#replay-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#replay-dialog")).to_have_count(0)
    assert double.received == []
