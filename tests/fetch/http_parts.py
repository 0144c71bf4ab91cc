"""Fetching over HTTP in tests: options that reach a server of ours or not, and one fetch of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from processors.fetch.faults import Unfetchable
from processors.fetch.http_source import HttpSource
from processors.fetch.options import FetchOptions
from tests.fetch.servers import Names, Server

LOOPBACK = ("127.0.0.0/8", "::1/128")
BODY = b"\x89PNG and so on"
PLAIN = FetchOptions(allow_http=True)


def open_to(server: Server, options: FetchOptions = PLAIN) -> FetchOptions:
    """Options that reach the server, loopback though it is."""
    return replace(options, allowed_ports=(server.port,), allowed_networks=LOOPBACK)


def closed_to(server: Server, options: FetchOptions = PLAIN) -> FetchOptions:
    """Options that allow the server's port, and no private address."""
    return replace(options, allowed_ports=(server.port,))


def fetch(
    server: Server,
    uri: Callable[[Server], str],
    options: Callable[[Server], FetchOptions],
    names: Names | None = None,
    *,
    host: str = "127.0.0.1",
) -> bytes:
    async def work() -> bytes:
        async with server.running(host), HttpSource.opened(options(server), names or Names({})) as source:
            async with asyncio.timeout(10):
                return await source.read(uri(server), "acme")

    return asyncio.run(work())


def refusal(
    server: Server,
    uri: Callable[[Server], str],
    options: Callable[[Server], FetchOptions],
    names: Names | None = None,
) -> str:
    with pytest.raises(Unfetchable) as caught:
        fetch(server, uri, options, names)
    return str(caught.value)
