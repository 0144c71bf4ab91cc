"""Fetching over HTTP: what is believed of an answer, and how it ends."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace

import pytest

from processors.fetch.faults import RemoteFault
from processors.fetch.http_source import HttpSource
from tests.fetch.http_parts import BODY, PLAIN, fetch, open_to, refusal
from tests.fetch.servers import Names, Script, Server, answer


@pytest.mark.parametrize("status", ["408 Timeout", "425 Early", "429 Many", "500 Oops", "502 Bad", "503 Away"])
def test_answers_that_may_pass_are_remote_faults(status: str) -> None:
    server = Server({"/": answer(BODY, status)})
    with pytest.raises(RemoteFault, match=f"127.0.0.1 answered with status {status[:3]}"):
        fetch(server, Server.url, open_to)


@pytest.mark.parametrize(
    "status", ["204 None", "206 Part", "304 Same", "400 Bad", "401 Who", "403 No", "404 Not", "410 Gone", "302 Found"]
)
def test_other_answers_are_final(status: str) -> None:
    server = Server({"/": answer(b"", status)})
    assert refusal(server, Server.url, open_to) == f"127.0.0.1 answered with status {status[:3]}"


def test_a_name_that_cannot_be_looked_up_is_a_remote_fault() -> None:
    with pytest.raises(RemoteFault, match=r"the name gone.example cannot be looked up"):
        fetch(Server({}), lambda s: s.url(host="gone.example"), open_to)


def test_a_server_that_is_down_is_a_remote_fault() -> None:
    async def work() -> None:
        server = Server({})
        async with server.running():
            pass
        async with HttpSource.opened(open_to(server), Names({})) as source:
            await source.read(server.url(), "acme")

    with pytest.raises(RemoteFault, match="cannot be connected to"):
        asyncio.run(work())


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
def test_what_is_not_http_is_a_remote_fault(said: bytes) -> None:
    with pytest.raises(RemoteFault, match=r"127.0.0.1 answered with what is not HTTP|broke off"):
        fetch(Server({"/": said}), Server.url, open_to)


SMALL = replace(PLAIN, max_bytes=10_000)


def test_a_body_of_exactly_the_limit_is_fetched() -> None:
    server = Server({"/": answer(b"x" * 10_000)})
    assert len(fetch(server, Server.url, lambda s: open_to(s, SMALL))) == 10_000


def endless(sent: list[int]) -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            await writer.drain()
            sent.append(0x1000)

    return script


def test_an_endless_body_ends_at_the_limit() -> None:
    sent: list[int] = []
    server = Server({"/": endless(sent)})
    why = refusal(server, Server.url, lambda s: open_to(s, SMALL))
    assert why == "it is larger than 10,000 bytes (media.max_bytes)"
    assert sum(sent) < 50_000_000  # what buffers between the two hold, and no more


def test_a_length_that_is_over_the_limit_is_believed_at_once() -> None:
    server = Server({"/": answer(b"x" * 100, length=10_001)})
    assert "larger than 10,000 bytes" in refusal(server, Server.url, lambda s: open_to(s, SMALL))


def test_a_body_shorter_than_its_length_is_a_remote_fault() -> None:
    server = Server({"/": answer(b"x" * 100, length=200)})
    with pytest.raises(RemoteFault, match="broke off"):
        fetch(server, Server.url, open_to)


def test_a_body_longer_than_its_length_is_a_remote_fault() -> None:
    server = Server({"/": answer(b"x" * 200, length=100)})
    with pytest.raises(RemoteFault, match="not HTTP"):
        fetch(server, Server.url, open_to)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_a_compressed_body_is_refused_and_never_unpacked(encoding: str) -> None:
    server = Server({"/": answer(gzip.compress(bytes(10_000_000)), "200 OK", f"Content-Encoding: {encoding}")})
    assert refusal(server, Server.url, open_to) == "127.0.0.1 sent it compressed, which was not asked for"


def test_a_head_without_end_ends() -> None:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Filler: " + b"x" * 4_000 + b"\r\n")
            await writer.drain()

    with pytest.raises(RemoteFault):
        fetch(Server({"/": script}), Server.url, open_to)


def test_cookies_are_not_kept() -> None:
    server = Server({"/": answer(b"", "302 Found", "Location: /next", "Set-Cookie: id=1"), "/next": answer(BODY)})
    assert fetch(server, Server.url, open_to) == BODY
    assert b"cookie" not in server.requests[1].lower()
