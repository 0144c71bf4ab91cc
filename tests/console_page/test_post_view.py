"""One post: its evidence where it is, and nothing shown that nobody asked to see."""

from __future__ import annotations

import pytest

from tests.console_page import made, scenes
from tests.console_page.conftest import Open
from tests.console_page.double import Double
from tests.console_page.watched import expect, marked, show_content

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def posts(double: Double) -> None:
    scenes.fill(double)


def test_spans_cover_exactly_their_code_points_with_emoji_before_them(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-text").page
    text = page.locator(".words[data-field='text']")
    expect(text).to_be_attached()

    assert text.evaluate("(element) => element.textContent") == scenes.TEXT
    for index in (0, 1):
        evidence = double.posts["p-text"]["decision"]["evidence"][index]
        start, end = evidence["span"]
        assert marked(text, index) == scenes.TEXT[start:end] == evidence["text"]
    # The two overlap: what both cover is one piece, which says so.
    assert text.locator("mark.is-deep").evaluate("(mark) => mark.textContent") == "complete clown"
    assert page.locator(".words[data-field='title'] mark").text_content() == "your"


def test_text_of_a_post_that_was_not_approved_is_blurred_until_it_is_shown(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-text").page
    content = page.locator("#post-text .veiled")
    expect(content).to_be_attached()

    assert "blur" in content.evaluate("(element) => getComputedStyle(element).filter")
    assert content.evaluate("(element) => element.inert")
    assert "blur" in page.locator(".evidence-text").first.evaluate("(element) => getComputedStyle(element).filter")
    page.locator("#post-text").get_by_role("button", name="Show").click()
    assert content.evaluate("(element) => getComputedStyle(element).filter") == "none"
    assert not content.evaluate("(element) => element.inert")


def test_media_are_blurred_even_of_an_approved_post_and_its_text_is_not(double: Double, open_page: Open) -> None:
    post = scenes.picture_post(double)
    post["decision"]["action"] = "approve"
    double.posts["p-picture"] = post
    page = open_page(double.url + "#/post/p-picture").page
    expect(page.locator(".picture img")).to_be_attached()

    assert "blur" in page.locator(".media .veiled").evaluate("(element) => getComputedStyle(element).filter")
    assert page.locator("#post-text .veiled").evaluate("(element) => getComputedStyle(element).filter") == "none"


def test_showing_all_holds_for_the_tab_and_not_for_the_next(double: Double, open_page: Open) -> None:
    watched = open_page(double.url + "#/post/p-text")
    page = watched.page
    expect(page.locator(".veil.is-down")).to_have_count(1)
    show_content(page)
    expect(page.get_by_role("button", name="Blur content")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".veil.is-down")).to_have_count(0)
    page.goto(double.url + "#/post/p-picture")
    expect(page.locator(".picture img")).to_be_visible()
    expect(page.locator(".veil.is-down")).to_have_count(0)

    other = open_page(double.url + "#/post/p-picture").page
    expect(other.locator(".veil.is-down")).to_have_count(2)


@pytest.mark.parametrize("width", [1440, 390])
def test_boxes_lie_on_the_picture_where_the_lines_are(double: Double, open_page: Open, width: int) -> None:
    page = open_page(double.url + "#/post/p-picture", width=width).page
    show_content(page)
    image = page.locator(".picture img")
    expect(image).to_be_visible()
    image.evaluate("(element) => element.decode()")

    shown = image.bounding_box()
    scale = shown["width"] / 1200
    assert shown["height"] / 760 == pytest.approx(scale, rel=0.01)
    for index, piece in enumerate(double.posts["p-picture"]["decision"]["evidence"]):
        box = page.locator(f".box[data-evidence='{index}']").bounding_box()
        x, y, wide, high = piece["bbox"]
        there = (box["x"] - shown["x"], box["y"] - shown["y"], box["width"], box["height"])
        assert there == pytest.approx((x * scale, y * scale, wide * scale, high * scale), abs=1.5)


def test_a_box_on_a_part_of_a_long_picture_counts_from_the_parts_corner(double: Double, open_page: Open) -> None:
    data, _ = made.picture(600, 400)
    double.media |= {"upper": (data, "image/png"), "lower": (data, "image/png")}
    parts = [
        made.part("upper", "image/png", width=600, height=400, scale=2.0),
        made.part("lower", "image/png", width=600, height=400, scale=2.0, origin=[0.0, 800.0]),
    ]
    evidence = [{"modality": "ocr", "media_id": "m-1", "bbox": [100, 1000, 400, 80], "text": "below", "score": 0.7}]
    double.posts["p-long"] = made.post(
        "p-long", "see", media=[made.item("m-1", "image", parts)], decision={"evidence": evidence}
    )
    page = open_page(double.url + "#/post/p-long").page
    show_content(page)
    page.keyboard.press("j")

    expect(page.get_by_role("button", name="Show part 2 of 2, with 1 of the evidence")).to_have_attribute(
        "aria-pressed", "true"
    )
    image = page.locator(".picture img")
    expect(image).to_have_attribute("src", "api/media/lower")
    image.evaluate("(element) => element.decode()")
    shown, box = image.bounding_box(), page.locator(".box").bounding_box()
    scale = shown["width"] / 1200
    there = (box["x"] - shown["x"], box["y"] - shown["y"], box["width"], box["height"])
    assert there == pytest.approx((100 * scale, 200 * scale, 400 * scale, 80 * scale), abs=1.5)


def test_choosing_a_place_in_a_sound_goes_there_and_plays_nothing(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-sound").page
    show_content(page)
    player = page.locator("audio")
    expect(player).to_be_visible()
    page.wait_for_function("() => document.querySelector('audio').readyState >= 1")
    page.get_by_role("button", name="just stay at home").first.click()

    page.wait_for_function("() => Math.abs(document.querySelector('audio').currentTime - 7.2) < 0.05")
    assert player.evaluate("(element) => element.paused && !element.autoplay")
    part = page.locator(".track-part").nth(1).bounding_box()
    track = page.locator(".track").bounding_box()
    assert (part["x"] - track["x"]) / track["width"] == pytest.approx(7.2 / 12.0, abs=0.01)


def test_evidence_of_a_video_shows_on_its_frame(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-video").page
    show_content(page)
    expect(page.locator(".frame-tab[aria-pressed='true']")).to_have_attribute("data-at", "0")
    expect(page.locator(".box")).to_have_count(0)

    page.locator(".evidence-jump").first.click()
    expect(page.locator(".frame-tab[aria-pressed='true']")).to_have_attribute("data-at", "5")
    expect(page.locator(".box")).to_have_count(1)


def test_labels_thresholds_modalities_way_and_versions_are_the_decisions(double: Double, open_page: Open) -> None:
    page = open_page(double.url + "#/post/p-text").page
    answer = double.posts["p-text"]
    decision = answer["decision"]
    expect(page.locator("#labels")).to_be_visible()

    shown = page.locator("#labels > .body > .bars li").evaluate_all(
        "(rows) => rows.map((row) => [row.dataset.label, Number(row.dataset.value)])"
    )
    assert dict(shown) == decision["labels"]
    insult = page.locator("#labels li[data-label='insult']")
    track, fill, tick = (insult.locator(part).bounding_box() for part in (".bar-track", ".bar-fill", ".bar-tick"))
    assert fill["width"] / track["width"] == pytest.approx(0.871, abs=0.02)
    assert (tick["x"] + tick["width"] / 2 - track["x"]) / track["width"] == pytest.approx(0.62, abs=0.02)
    assert page.locator("#labels li[data-label='hate'] .bar-tick").count() == 0
    assert page.locator("#way li").evaluate_all(
        "(rows) => rows.map((row) => [row.dataset.stage, Number(row.dataset.ms)])"
    ) == [[step["stage"], step["ms"]] for step in answer["way"]]
    expect(page.locator("#way")).to_contain_text("total 412 ms")
    expect(page.locator("#modalities tr[data-modality='text']")).to_contain_text("0.91")
    expect(page.locator("#versions")).to_contain_text("embedded@3f9c0a1b2c3d")
    expect(page.locator("#reasons")).to_contain_text("This post may insult someone.")


def test_a_deleted_post_says_so(double: Double, open_page: Open) -> None:
    double.posts["p-gone"] = {
        **made.post("p-gone"),
        "post": None,
        "decision": None,
        "way": [],
        "deleted": True,
        "why_no_post": "it was deleted",
    }
    page = open_page(double.url + "#/post/p-gone").page
    expect(page.locator("main")).to_contain_text("This post was deleted.")


def test_a_hostile_post_is_inert_and_stays_in_its_place(double: Double, open_page: Open) -> None:
    for width in (1440, 390):
        watched = open_page(double.url + "#/post/p-hostile", width=width)
        page = watched.page
        show_content(page)
        text = page.locator(".words[data-field='text']")
        expect(text).to_be_visible()

        assert text.evaluate("(element) => element.textContent") == scenes.HOSTILE_TEXT
        assert page.locator("main script, main svg[onload], main img[onerror], main b:has-text('bold')").count() == 0
        assert watched.dialogs == []
        assert watched.overflow() <= 0
        assert page.locator(".words-scroll").last.bounding_box()["height"] <= 400
        expect(page.locator("#post-text")).to_contain_text("hidden characters")
        assert page.locator("[src^='javascript']").count() == 0


def test_an_id_that_is_markup_is_an_id(double: Double, open_page: Open) -> None:
    double.posts[scenes.HOSTILE_ID] = made.post(scenes.HOSTILE_ID, "hello")
    double.decisions = [made.decision_event(scenes.HOSTILE_ID)]
    watched = open_page(double.url + "#/decisions")
    watched.page.locator(".decision-row").click()
    expect(watched.page.locator("h1")).to_contain_text(scenes.HOSTILE_ID)
    assert watched.dialogs == []
