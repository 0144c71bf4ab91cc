"""The live figures, as every page that follows gets them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
import pytest
from aiohttp import ClientPayloadError, ClientResponse, web

from console.app import _every
from console.events import DecisionEvent
from console.feeds import Feeds
from console.live import QUEUE, ROWS_PER_TICK, Live, _Behind, _Page
from schemas import encode_decision
from streams.settings import Secret
from tests.console.conftest import AT, TOKENS, VIEWER, Client, Console, Make, decided, decision, took


async def events(response: ClientResponse, count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    name = ""
    while len(found) < count:
        line = (await asyncio.wait_for(response.content.readline(), 10)).decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, msgspec.json.decode(line.removeprefix("data: "))))
    return found


def test_a_page_that_follows_gets_the_state_and_what_is_decided(console: Console) -> None:
    async def scenario(client: Client) -> Any:
        live = console.site.live
        live.tick(console.site.figures.tick())
        async with client.get("/api/live") as response:
            assert response.headers["Content-Type"].startswith("text/event-stream")
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            ((first, state),) = await events(response, 1)
            live.rows([DecisionEvent.of(decision("p-9"))])
            live.tick(console.site.figures.tick())
            later = await events(response, 2)
        return first, state, later

    first, state, later = console.with_client(scenario)
    assert first == "state"
    assert state["decisions"] == {"approve": 0, "review": 1, "block": 0}
    assert state["posts_per_s"] is None
    assert [name for name, _ in later] == ["state", "decision"]
    assert later[1][1]["post_id"] == "p-9"


def test_only_so_many_pages_may_follow_and_nobody_without_a_token(make: Make) -> None:
    console = decided(make(max_streams=1, tokens=Secret(TOKENS)))

    async def scenario(client: Client) -> Any:
        headers = {"Authorization": f"Bearer {VIEWER}"}
        assert (await client.get("/api/live")).status == 401
        async with client.get("/api/live", headers=headers) as first:
            assert first.status == 200
            async with client.get("/api/live", headers=headers) as second:
                return second.status

    assert console.with_client(scenario) == 503


def test_a_page_whose_session_ends_is_let_go(guarded: Console) -> None:
    async def scenario(client: Client) -> Any:
        csrf = {"X-Modstream": "1"}
        await client.post("/api/login", json={"token": VIEWER}, headers=csrf)
        live = guarded.site.live
        async with client.get("/api/live") as response:
            live.tick({})
            await events(response, 1)
            await client.post("/api/logout", headers=csrf)
            live.tick({})
            with pytest.raises(Exception, match=r"payload|reset|closed|disconnected|transfer"):
                await events(response, 5)
        return live.pages

    assert guarded.with_client(scenario) == 0


def test_pages_that_follow_do_not_hold_up_the_end(console: Console) -> None:
    async def scenario(client: Client) -> None:
        async with client.get("/api/live") as response:
            await client.app.shutdown()
            with pytest.raises(ClientPayloadError):
                await asyncio.wait_for(response.read(), 10)

    console.with_client(scenario)


def test_a_page_that_leaves_at_once_is_no_fault(
    console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone(*_: object) -> None:
        raise ConnectionResetError

    async def scenario(client: Client) -> None:
        monkeypatch.setattr(web.StreamResponse, "write", gone)
        with pytest.raises(Exception, match=r"payload|reset|closed|disconnected|transfer"):
            async with client.get("/api/live") as response:
                await asyncio.wait_for(response.read(), 10)

    with caplog.at_level(logging.WARNING):
        console.with_client(scenario)
    assert caplog.text == ""
    assert console.site.live.pages == 0


def test_a_round_that_fails_is_logged_and_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        again = asyncio.Event()
        rounds = iter([ZeroDivisionError("first"), None])

        async def do() -> None:
            if (fault := next(rounds, None)) is not None:
                raise fault
            again.set()

        task = asyncio.create_task(_every(0, do))
        await asyncio.wait_for(again.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert "ZeroDivisionError: first" in caplog.text


def test_a_page_that_does_not_read_is_cut_off_and_holds_no_memory() -> None:
    async def scenario() -> int:
        page = _Page()
        for _ in range(QUEUE + 1):
            page.tell([b"event"])
        with pytest.raises(_Behind):
            await page.next()
        return len(page._waiting)

    assert asyncio.run(scenario()) == 0


def test_a_flood_of_decisions_is_told_of_in_part_and_counted_in_full() -> None:
    live, feeds = Live(1), Feeds(5_000, clock=lambda: AT.timestamp())
    at_ms = int(AT.timestamp() * 1000)
    flood = [took("decisions", encode_decision(decision(f"p-{at}")), at, at_ms=at_ms) for at in range(1_000)]
    live.rows(feeds.take(flood))
    assert len(live._decisions) == ROWS_PER_TICK
    assert feeds.actions_lately() == ({"approve": 0, "review": 1_000, "block": 0}, 300)


def test_counts_begin_where_reading_began() -> None:
    feeds = Feeds(100, clock=lambda: AT.timestamp())
    feeds.begin(int((AT.timestamp() - 60) * 1000))
    assert feeds.actions_lately()[1] == 60
    assert feeds.actions_at(int(AT.timestamp()) - 100) is None
    assert feeds.actions_at(int(AT.timestamp()) - 10) == {"approve": 0, "review": 0, "block": 0}
