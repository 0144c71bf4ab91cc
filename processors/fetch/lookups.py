"""Looking names up with the system's resolver, on threads of its own: names of hostile posts may take many seconds."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 32
"""Look-ups at the same time; the system's resolver blocks a thread for each."""


class Lookups(AbstractResolver):
    """Asks anew for each connection: what may be kept, and for how long, the system's resolver knows."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "media-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._threads,
                lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG),
            )
        except UnicodeError:  # a label that no name server can be asked for
            raise OSError("not a host name") from None
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=of_family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for of_family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
