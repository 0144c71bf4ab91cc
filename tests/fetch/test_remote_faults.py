"""The fetch stage and servers that do not do their part."""

from __future__ import annotations

import asyncio
from dataclasses import replace as with_options
from typing import Any

import pytest

from processors.contract import TransientError
from processors.fetch import FetchOptions
from processors.fetch.processor import AT_ONCE
from processors.media.store import MediaStore
from schemas import Record, Status
from tests.fetch.servers import Server, answer
from tests.fetch.stage_parts import (
    LOOPBACK,
    Decoder,
    at,
    one,
    pictures,
    png,
    processor,
    reason,
    record_of,
    run,
)


def test_items_are_fetched_side_by_side_and_decoded_one_by_one(store: MediaStore) -> None:
    """Each server answers only when as many have asked as may be under way: one by one, none ever would."""
    decoder = Decoder()

    async def work() -> Record:
        all_here = asyncio.Barrier(AT_ONCE)

        async def together(writer: asyncio.StreamWriter) -> None:
            await all_here.wait()
            writer.write(answer(png("cat")))

        server = Server({f"/{n}": together for n in range(2 * AT_ONCE)})
        async with server.running():
            options = FetchOptions(allow_http=True, allowed_ports=(server.port,), allowed_networks=LOOPBACK)
            stage = processor(store, options, decoder=decoder)
            async with stage.session() as handle, asyncio.timeout(30):
                return await handle(record_of(*(at(server.url(f"/{n}"), f"m-{n}") for n in range(AT_ONCE))))

    assert pictures(run(work())) == [1] * AT_ONCE
    assert decoder.most_at_once == 1


def serving(store: MediaStore, path_answers: dict[str, Any], attempt: int = 1, **changes: Any) -> tuple[Record, Server]:
    """The record of a post with one item at each path."""
    server = Server(path_answers)

    async def work() -> Record:
        async with server.running():
            options = FetchOptions(allow_http=True, allowed_ports=(server.port,), allowed_networks=LOOPBACK)
            stage = processor(store, with_options(options, **changes))
            items = [at(server.url(path), f"m{path}") for path in path_answers]
            async with stage.session() as handle, asyncio.timeout(60):
                return await handle(record_of(*items, attempt=attempt))

    return run(work()), server


def test_a_picture_on_a_server_is_fetched_and_its_address_stays(store: MediaStore) -> None:
    record, server = serving(store, {"/a?sig=secret": answer(png("cat"))})
    assert pictures(record) == [1]
    assert record.post.media[0].uri == server.url("/a?sig=secret")


@pytest.mark.parametrize("status", ["403 No", "404 Not found", "410 Gone"])
def test_what_is_gone_fails_the_modality_at_once(store: MediaStore, status: str) -> None:
    record, server = serving(store, {"/a?sig=secret": answer(b"", status)})
    assert reason(record) == f"m/a?sig=secret: 127.0.0.1 answered with status {status[:3]}"
    assert len(server.requests) == 1


def test_a_remote_fault_is_tried_again_while_attempts_remain(store: MediaStore) -> None:
    for attempt in (1, 2):
        with pytest.raises(TransientError, match="answered with status 503"):
            serving(store, {"/a": answer(b"", "503 Away")}, attempt)


def test_a_senders_dead_server_never_becomes_our_failure(store: MediaStore) -> None:
    record, _ = serving(store, {"/a": answer(b"", "503 Away"), "/b": answer(png("cat"))}, attempt=3)
    assert reason(record) == "m/a: 127.0.0.1 answered with status 503"
    assert pictures(record) == [1]


@pytest.mark.parametrize("attempts", [0, 1])
def test_without_a_try_to_spare_for_faults_of_ours_they_are_given_up_at_once(store: MediaStore, attempts: int) -> None:
    record, _ = serving(store, {"/a": answer(b"", "503 Away")}, max_attempts=attempts)
    assert "status 503" in reason(record)


async def silence(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    await asyncio.Event().wait()


async def trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("script", [silence, trickle])
def test_a_slow_server_ends_at_the_time_limit(store: MediaStore, script: Any) -> None:
    with pytest.raises(TransientError, match=r"took longer than 0\.2 s \(media\.fetch_timeout_s\)"):
        serving(store, {"/a": script}, fetch_timeout_s=0.2)
    record, _ = serving(store, {"/a": script}, attempt=4, fetch_timeout_s=0.2)
    assert "took longer than 0.2 s" in reason(record)


def test_a_post_of_slow_servers_ends_long_before_all_of_them_were_waited_for(store: MediaStore) -> None:
    """Four at a time and six time-outs: of forty, some are never asked."""
    record, server = serving(store, {f"/{n}": silence for n in range(40)}, attempt=4, fetch_timeout_s=0.2)
    assert record.modalities["image"].status is Status.FAILED
    assert len(server.requests) <= 6 * AT_ONCE + AT_ONCE


def test_posts_do_not_wait_for_each_others_servers_for_ever(store: MediaStore) -> None:
    """As many places as one post may take: posts of slow servers and good ones all end."""

    async def work() -> list[Record]:
        server = Server({"/slow": silence, "/good": answer(png("cat"))})
        async with server.running():
            options = FetchOptions(
                allow_http=True,
                allowed_ports=(server.port,),
                allowed_networks=LOOPBACK,
                fetch_timeout_s=0.3,
                concurrency=2,
            )
            stage = processor(store, options)
            slow = [
                record_of(*(at(server.url("/slow"), f"m-{n}") for n in range(6)), post_id=f"s-{p}", attempt=4)
                for p in range(2)
            ]
            async with stage.session() as handle, asyncio.timeout(60):
                done = await asyncio.gather(*(handle(record) for record in slow))
                return [*done, await handle(record_of(at(server.url("/good"))))]

    *slow, good = run(work())
    assert [record.modalities["image"].status for record in slow] == [Status.FAILED] * 2
    assert pictures(good) == [1]


def test_reasons_hold_nothing_of_an_address_but_its_host(store: MediaStore) -> None:
    uris = [
        "http://user:pw@h.example/p?sig=s3cr3t",
        "https://h.example/p/t0ken?sig=s3cr3t",
        "s3://bucket/k3y?sig=s3cr3t",
    ]
    uris += ["file:///s3cr3t/x", "store:s3cr3t", "https://h.example:9/?sig=s3cr3t"]
    record = one(processor(store), record_of(*(at(uri, f"m-{n}") for n, uri in enumerate(uris)), attempt=4))
    for secret in ("s3cr3t", "t0ken", "user", "pw", "k3y"):
        assert secret not in reason(record).replace("user name", "")


def under_way(name: str) -> bool:
    return any(name in repr(task.get_coro()) for task in asyncio.all_tasks())


def test_nothing_is_left_running_after_a_fault(store: MediaStore) -> None:
    """While one server keeps silent, another fails: the whole post will be tried again."""

    async def work() -> None:
        server = Server({"/a": answer(b"", "500 Oops"), "/b": silence})
        async with server.running():
            options = FetchOptions(allow_http=True, allowed_ports=(server.port,), allowed_networks=LOOPBACK)
            async with processor(store, options).session() as handle, asyncio.timeout(30):
                with pytest.raises(TransientError, match="status 500"):
                    await handle(record_of(at(server.url("/a"), "a"), at(server.url("/b"), "b")))
                assert not under_way("_fetch")

    run(work())


@pytest.mark.parametrize("days", [0.0, 7.0])
def test_a_session_sweeps_in_the_background_where_there_is_a_retention(store: MediaStore, days: float) -> None:
    async def work() -> None:
        async with processor(store, FetchOptions(retention_days=days)).session():
            assert under_way("sweep_hourly") == (days > 0)
        assert not under_way("sweep_hourly")

    run(work())
