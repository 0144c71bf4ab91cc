"""What an operator sees first: the numbers of the API, honestly."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console_page import made, scenes
from tests.console_page.conftest import Open
from tests.console_page.double import Double
from tests.console_page.watched import expect

pytestmark = pytest.mark.browser


def test_shows_the_numbers_that_the_server_tells(double: Double, open_page: Open) -> None:
    page = open_page(double.url).page

    expect(page.locator("[data-tile='Posts in'] .tile-value")).to_have_text("412/s")
    expect(page.locator("[data-tile='Posts in']")).to_have_attribute("data-value", "412.4")
    expect(page.locator("[data-tile='Decided']")).to_have_attribute("data-value", "410.6")
    expect(page.locator("[data-tile='End to end, p95'] .tile-value")).to_have_text("1.87s")
    expect(page.locator("[data-tile='Workers'] .tile-value")).to_have_text("4 of 4")
    expect(page.locator("[data-tile='Dead letters, 1 h'] .tile-value")).to_have_text("21")
    for stage in double.state["stages"]:
        row = page.locator(f".stages tr[data-stage='{stage['stage']}']")
        for field in (
            "records_per_s",
            "lag_messages",
            "lag_s",
            "queue_p95_s",
            "compute_p95_s",
            "batch_mean",
            "workers",
        ):
            value = stage[field]
            told = "" if value is None else f"{value:g}"
            expect(row.locator(f"[data-field='{field}']")).to_have_attribute("data-value", told)
    for lane in double.state["latency"]:
        row = page.locator(f".lane-table tr[data-lane='{lane['lane']}']")
        assert [
            row.locator(f"[data-field='{name}']").get_attribute("data-value") for name in ("p50_s", "p95_s", "p99_s")
        ] == [f"{lane[name]:g}" for name in ("p50_s", "p95_s", "p99_s")]
    for action, count in double.state["decisions"].items():
        expect(page.locator(f".mix-list li[data-action='{action}'] [data-field='count']")).to_have_text(f"{count:,}")


def test_a_number_that_nobody_measured_is_a_dash_that_says_why(double: Double, open_page: Open) -> None:
    unknown = made.stage("ocr", records_per_s=None, lag_messages=None, lag_s=None, workers=None)
    double.state = made.state(posts_per_s=None, latency=[], stages=[unknown])
    page = open_page(double.url).page

    expect(page.locator("[data-tile='Posts in'] .tile-value")).to_have_text("–")
    expect(page.locator("[data-tile='Posts in']")).to_have_attribute(
        "title", "No worker has reported how many posts it took in."
    )
    expect(page.locator("[data-tile='End to end, p95'] .tile-value")).to_have_text("–")
    for field in ("records_per_s", "lag_messages", "lag_s", "workers"):
        cell = page.locator(f".stages tr[data-stage='ocr'] [data-field='{field}']")
        expect(cell).to_have_text("–")
        assert len(cell.get_attribute("title")) > 20


def test_zero_is_a_number_and_no_dash(double: Double, open_page: Open) -> None:
    double.state = made.state(posts_per_s=0.0, stages=[made.stage("ocr", records_per_s=0.0, lag_messages=0, lag_s=0.0)])
    page = open_page(double.url).page

    expect(page.locator("[data-tile='Posts in'] .tile-value")).to_have_text("0.0/s")
    expect(page.locator(".stages tr[data-stage='ocr'] [data-field='lag_messages']")).to_have_text("0")


def state_at(second: int, lag: int, seconds: float) -> dict[str, Any]:
    return made.state(
        at_ms=1_795_316_000_000 + second * 1000, stages=[made.stage("fuse", lag_messages=lag, lag_s=seconds)]
    )


def test_a_lag_that_grows_is_marked_and_told(double: Double, open_page: Open) -> None:
    double.history = {"at_ms": [], "posts_per_s": [], "decided_per_s": [], "p95_s": [], "lag_s": {}, "actions": {}}
    double.freezing_clock = True
    double.state = state_at(0, 10, 0.2)
    page = open_page(double.url).page
    expect(page.locator(".stages tr[data-stage='fuse']")).to_be_visible()

    for second in range(1, 25):
        double.tell("state", state_at(second, 10 + 40 * second, float(second)))
    row = page.locator(".stages tr[data-stage='fuse']")
    expect(row.locator(".growing")).to_have_text("▲ growing +40.0/s")
    expect(page.locator(".notices")).to_contain_text("Lag is growing at fuse.")
    table, around = (page.locator(part).bounding_box() for part in (".stages", "#stages"))
    assert table["width"] <= around["width"]


def test_a_lag_that_goes_up_and_down_is_not_marked(double: Double, open_page: Open) -> None:
    double.history = {"at_ms": [], "posts_per_s": [], "decided_per_s": [], "p95_s": [], "lag_s": {}, "actions": {}}
    double.freezing_clock = True
    double.state = state_at(0, 500, 2.0)
    page = open_page(double.url).page
    row = page.locator(".stages tr[data-stage='fuse']")
    expect(row).to_be_visible()

    for second in range(1, 25):
        double.tell("state", state_at(second, 500 + 300 * (second % 4), 2.0 + second % 4))
    expect(row.locator("[data-field='lag_messages']")).to_have_text("500")
    expect(row.locator(".growing")).to_be_hidden()
    expect(page.locator(".notices .banner")).to_have_count(0)


def test_no_worker_and_an_empty_topic_are_said_with_what_helps(double: Double, open_page: Open) -> None:
    double.state = made.state(
        posts_per_s=None,
        decided_per_s=None,
        latency=[],
        stages=[made.stage("ingest", workers=0)],
        decisions={"approve": 0, "review": 0, "block": 0},
        dead_letters=[],
        workers={"up": 0, "expected": 1, "unreachable": ["http://127.0.0.1:8080"]},
    )
    double.decisions, double.flags = [], []
    page = open_page(double.url).page

    expect(page.locator(".notices")).to_contain_text("No worker answers")
    expect(page.locator(".notices")).to_contain_text("modstream worker all")
    expect(page.locator("#stream")).to_contain_text("modstream publish examples/posts.jsonl")
    expect(page.locator("#mix")).to_contain_text("No decision in the last 5 minutes.")
    expect(page.locator("#letters")).to_contain_text("None in the last hour.")
    expect(page.locator(".stages tr[data-stage='ingest']")).to_contain_text("no worker")


def test_a_console_that_knows_no_worker_does_not_say_that_nothing_is_decided(double: Double, open_page: Open) -> None:
    double.state = made.state(posts_per_s=None, workers={"up": 0, "expected": None, "unreachable": []})
    page = open_page(double.url).page

    expect(page.locator(".notices")).to_contain_text("No worker is known to the console")
    expect(page.locator(".notices")).to_contain_text("MODSTREAM_CONSOLE__WORKERS")
    expect(page.locator(".notices")).not_to_contain_text("nothing is decided")


def test_a_kafka_that_does_not_answer_is_said_before_all_else(double: Double, open_page: Open) -> None:
    workers = {"up": 0, "expected": 1, "unreachable": ["http://127.0.0.1:8080"]}
    double.state = made.state(kafka_answers=False, workers=workers)
    page = open_page(double.url).page

    expect(page.locator(".notices")).to_contain_text("Kafka does not answer the console")


def test_a_lost_connection_is_said_and_the_page_comes_back_by_itself(double: Double, open_page: Open) -> None:
    watched = open_page(double.url)
    watched.expected = ("503", "ERR_", "net::")
    page = watched.page
    expect(page.locator("#link-state")).to_have_text("Live")

    double.refusals["live"] = (503, "as many pages follow the live figures as may")
    double.cut_streams()
    expect(page.locator("#link-state")).to_contain_text("Connection lost")
    expect(page.locator(".notices")).to_contain_text("trying again")

    del double.refusals["live"]
    expect(page.locator("#link-state")).to_have_text("Live")
    expect(page.locator(".notices .banner")).to_have_count(0)


def test_decisions_appear_as_they_are_made_and_pause_holds_them(double: Double, open_page: Open) -> None:
    page = open_page(double.url).page
    rows = page.locator("#stream li")
    expect(rows).to_have_count(36)

    double.tell("decision", made.decision_event("p-new-1", "block", severity=4))
    expect(rows.first.locator(".post-id")).to_have_text("p-new-1")

    page.keyboard.press("p")
    double.tell("decision", made.decision_event("p-new-2"))
    expect(page.locator(".held")).to_have_text("1 new")
    expect(rows.first.locator(".post-id")).to_have_text("p-new-1")

    page.keyboard.press("p")
    expect(rows.first.locator(".post-id")).to_have_text("p-new-2")
    expect(rows).to_have_count(38)


def test_filters_of_the_decisions_are_in_the_address(double: Double, open_page: Open) -> None:
    scenes.fill(double)
    page = open_page(double.url + "#/decisions").page
    page.get_by_text("block", exact=True).first.click()

    expect(page.locator(".decisions li")).to_have_count(
        len([one for one in double.decisions if one["action"] == "block"])
    )
    assert page.url.endswith("#/decisions?action=block")
    page.locator("input[name='flag']").fill("threat")
    page.keyboard.press("Enter")
    page.wait_for_url("**flag=threat*")
    expect(page.locator(".decisions li .tops b").first).to_have_text("0.97")


def test_a_post_is_found_by_its_id(double: Double, open_page: Open) -> None:
    scenes.fill(double)
    watched = open_page(double.url)
    watched.expected = ("404",)
    page = watched.page
    expect(page.locator("#link-state")).to_have_text("Live")
    page.keyboard.press("/")
    page.keyboard.type("p-text")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("p-text")

    page.keyboard.press("/")
    page.keyboard.type("nobody/knows?this#one")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("no such post within the newest messages")
