"""Serving the console until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from console.access import Access
from console.app import running
from streams.access import connect, operator_grants
from streams.settings import Settings, SettingsError

MAX_CONNECTIONS = 512
"""A browser has six of them; further ones are closed at once."""

HEAD_TIMEOUT_S = 10.0
"""For a connection to say what it wants at all."""

KEEPALIVE_S = 75.0
SHUTDOWN_S = 3.0
"""For answers under way, once the console is told to stop."""


async def serve(settings: Settings, on_ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is given the port when pages are answered.

    Raises `SettingsError` (also for an address that cannot be listened on), `Unreachable`, `AccessRefused`,
    `StoreError` and `TopicsError`.
    """
    Access(settings.console)  # before anybody is asked for anything
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    admin = await asyncio.to_thread(connect, settings, operator_grants(settings))
    async with running(settings, admin) as app:
        silent: set[asyncio.BaseProtocol] = set()
        app.middlewares.insert(0, _noting(silent))
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEPALIVE_S, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            server = await _listen(runner, silent, settings.console.host, settings.console.port)
            on_ready(server.sockets[0].getsockname()[1])
            await stop.wait()
            server.close()
        finally:
            await runner.cleanup()


def _noting(silent: set[asyncio.BaseProtocol]) -> Middleware:
    """A connection that has asked for something is silent no longer."""

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        silent.discard(request.protocol)
        return await handler(request)

    return note


async def _listen(runner: web.AppRunner, silent: set[asyncio.BaseProtocol], host: str, port: int) -> asyncio.Server:
    connections = runner.server
    if connections is None:
        raise RuntimeError("the runner is not set up")
    loop = asyncio.get_running_loop()

    def give_up(connection: web.RequestHandler) -> None:
        if connection in silent and connection.transport is not None:
            connection.transport.close()
        silent.discard(connection)

    def connect() -> asyncio.BaseProtocol:
        if len(connections.connections) >= MAX_CONNECTIONS:
            return _TooMany()
        connection = connections()
        silent.add(connection)
        loop.call_later(HEAD_TIMEOUT_S, give_up, connection)
        return connection

    try:
        return await loop.create_server(connect, host.strip("[]"), port, backlog=128)
    except OSError as error:
        reason = f"cannot listen there: {error.strerror or error}; expected a free address of this machine"
        raise SettingsError([f"console.host, console.port = {host}, {port}: {reason}"]) from None


class _TooMany(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
