"""Feedback from the keyboard, and who may give it."""

from __future__ import annotations

import pytest

from tests.console_page import made, scenes
from tests.console_page.conftest import Open
from tests.console_page.double import Double
from tests.console_page.watched import expect, show_content

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def posts(double: Double) -> None:
    scenes.fill(double)


def test_feedback_needs_no_mouse(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-text").page
    expect(page.locator("#feedback")).to_be_visible()
    show_content(page)
    page.keyboard.press("b")
    page.keyboard.press("l")
    page.keyboard.press("ArrowLeft")  # abuse: from unknown to No
    for _ in range(3):  # to hate, harassment, insult
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # insult: Yes
    page.keyboard.press("j")
    page.keyboard.press("m")  # the first piece of evidence
    page.keyboard.press("4")
    page.keyboard.press("c")
    page.keyboard.type("Rude, and about nobody in particular. <b>1 < 2</b>")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#feedback-history li").first).to_contain_text(
        "Rude, and about nobody in particular. <b>1 < 2</b>"
    )
    ((path, sent, headers),) = double.received
    assert path == "feedback"
    assert headers["X-Modstream"] == "1"
    seconds = sent.pop("seconds_spent")
    assert 0 < seconds < 120
    assert sent == {
        "decision_id": "d-p-text",
        "post_id": "p-text",
        "verdict": "block",
        "labels": {"abuse": False, "insult": True},
        "spans": [{"span": double.posts["p-text"]["decision"]["evidence"][0]["span"]}],
        "boxes": [],
        "times": [],
        "comment": "Rude, and about nobody in particular. <b>1 < 2</b>",
        "explanation_rating": 4,
    }
    expect(page.locator("#feedback-history li").first).to_contain_text("local")
    assert page.locator("input[name='verdict']:checked").count() == 0


def test_without_a_verdict_nothing_is_sent(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-text").page
    page.get_by_role("button", name="Send feedback").click()
    expect(page.locator("#feedback .problem")).to_have_text("Choose a verdict first: a, r or b.")
    assert double.received == []


def test_selected_text_is_marked_in_code_points(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-text").page
    expect(page.locator("#feedback")).to_be_visible()
    show_content(page)
    start, end = scenes.span_of(scenes.TEXT, "nobody needs you")
    page.locator(".words[data-field='text']").evaluate(
        """(words, wanted) => {
          const last = words.lastChild;
          const at = last.data.indexOf(wanted);
          getSelection().setBaseAndExtent(last, at, last, at + wanted.length);
        }""",
        "nobody needs you",
    )
    page.keyboard.press("m")
    expect(page.locator("mark.is-mine")).to_have_text("nobody needs you")
    page.locator(".marks select").select_option("insult")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#feedback-history li")).to_have_count(2)
    assert double.received[0][1]["spans"] == [{"span": [start, end], "label": "insult"}]


def test_a_box_is_drawn_in_pixels_of_the_original(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-picture").page
    page.locator(".mark-tools").get_by_role("button", name="Box").click()
    image = page.locator(".picture img")
    expect(image).to_be_visible()
    image.evaluate("(element) => element.decode()")
    image.scroll_into_view_if_needed()
    shown = image.bounding_box()
    scale = shown["width"] / 1200
    page.mouse.move(shown["x"] + 600 * scale, shown["y"] + 200 * scale)
    page.mouse.down()
    page.mouse.move(shown["x"] + 700 * scale, shown["y"] + 300 * scale)
    page.mouse.move(shown["x"] + 900 * scale, shown["y"] + 500 * scale)
    page.mouse.up()
    expect(page.locator(".marks li[data-kind='box']")).to_have_count(1)
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#feedback-history li")).to_have_count(1)
    (box,) = double.received[0][1]["boxes"]
    assert box["media_id"] == "m-1"
    assert box["bbox"] == pytest.approx([600, 200, 300, 300], abs=2 / scale)


def test_a_refusal_is_shown_and_what_was_written_stays(double: Double, open_page: Open) -> None:
    watched = open_page(double.url + "#/post/p-text")
    watched.expected = ("503",)
    page = watched.page
    double.refusals["feedback"] = (503, "Kafka did not answer: try again in a moment")
    expect(page.locator("#feedback")).to_be_visible()
    page.keyboard.press("a")
    page.locator("textarea").fill("fine")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#feedback .problem")).to_have_text("Kafka did not answer: try again in a moment")
    expect(page.locator("textarea")).to_have_value("fine")


def test_a_viewer_sees_decisions_without_content_and_gives_no_feedback(double: Double, open_page: Open) -> None:
    double.session = made.session("viewer", "vera")
    double.posts["p-text"] |= {"post": None, "why_no_post": "your role does not show content"}
    page = open_page(double.url + "#/post/p-text").page
    expect(page.locator("#labels")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Your role, viewer, shows decisions without what was posted.")
    expect(page.locator("#feedback form")).to_have_count(0)
    expect(page.locator("#post-text")).to_have_count(0)
    expect(page.locator(".places")).not_to_contain_text("Dead letters")
    page.goto(double.url + "#/dead-letters")
    expect(page.locator("main")).to_contain_text("your role, viewer, does not include them")


def test_signing_in_and_out(double: Double, open_page: Open) -> None:
    double.token = "right"
    double.session = made.session("reviewer", "mira")
    watched = open_page(double.url)
    watched.expected = ("401",)
    page = watched.page
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("this token is not known")
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_contain_text("mira")
    expect(page.locator("#link-state")).to_have_text("Live")
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])").count("right") == 0

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_session_that_ends_elsewhere_leads_to_signing_in(double: Double, open_page: Open) -> None:
    double.token = "right"
    watched = open_page(double.url)
    watched.expected = ("401",)
    page = watched.page
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    expect(page.locator("#link-state")).to_have_text("Live")

    double.end_sessions()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
