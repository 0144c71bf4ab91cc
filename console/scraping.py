"""The workers' `/metrics`, asked for at every address that their names have."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from console.exposition import BadMetrics, Series, read_metrics
from streams.settings import SettingsError

TIMEOUT_S = 2.0
"""For a worker's answer, which takes milliseconds; one that takes longer is as good as gone, for now."""

MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Of one worker's metrics: a real one has 100 to 200 KB."""

MAX_WORKERS = 500
"""Addresses asked in one round; the page is no Prometheus."""

AT_ONCE = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """One look at all workers."""

    scrapes: dict[str, dict[Series, float]] = field(default_factory=dict[str, dict[Series, float]])
    """Address of a worker (`http://10.0.0.7:8080`) -> its series."""
    unreachable: tuple[str, ...] = ()
    """Addresses that did not answer, and names that have none."""
    expected: int | None = None
    """Addresses that there are; None where a name's could not be found, or no worker is named."""


class Workers:
    """The workers that `console.workers` names. An asynchronous context manager."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """Raises `SettingsError` for what is no http address."""
        self._bases = [_base(address) for address in addresses]
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Workers:
        connector = aiohttp.TCPConnector(limit=AT_ONCE, use_dns_cache=False, resolver=_Fixed())
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def scrape(self) -> Round:
        """Ask all of them. What one of them does wrong makes it unreachable, and is never raised."""
        found = await asyncio.gather(*(_addresses(base) for base in self._bases))
        targets = [(base, address) for base, addresses in zip(self._bases, found, strict=True) for address in addresses]
        targets = list({_name(base, address): (base, address) for base, address in targets}.values())[:MAX_WORKERS]
        gate = asyncio.Semaphore(AT_ONCE)
        answers = await asyncio.gather(*(self._ask(base, address, gate) for base, address in targets))
        names = [_name(base, address) for base, address in targets]
        scrapes = {name: series for name, series in zip(names, answers, strict=True) if series is not None}
        nameless = [str(base) for base, addresses in zip(self._bases, found, strict=True) if not addresses]
        silent = [name for name in names if name not in scrapes]
        return Round(scrapes, (*silent, *nameless), None if nameless or not self._bases else len(names))

    async def _ask(self, base: URL, address: str, gate: asyncio.Semaphore) -> dict[Series, float] | None:
        if self._session is None:
            raise RuntimeError("workers are asked within the context only")
        url = (base / "metrics").with_host(address)
        headers = {"Host": base.authority, "Accept": "text/plain", "Accept-Encoding": "identity"}
        try:
            async with gate, self._session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status != 200:
                    return None
                body = await response.content.read(0)
                while len(body) <= MAX_TEXT_BYTES and (more := await response.content.readany()):
                    body += more
            if len(body) > MAX_TEXT_BYTES:
                raise BadMetrics(f"its /metrics has more than {MAX_TEXT_BYTES:,} bytes")
            return await asyncio.to_thread(read_metrics, body.decode("utf-8", "replace"))
        except BadMetrics as error:
            log.warning("the worker at %s: %s", url.origin(), error)
            return None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None


class _Fixed(AbstractResolver):
    """Addresses only: names were looked up before, all their addresses and not one of them."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(f"{host} is no address")

    async def close(self) -> None:
        pass


def _base(address: str) -> URL:
    try:
        url = URL(address)
    except ValueError:
        url = URL()
    if url.scheme != "http" or not url.host or url.user or url.query_string or url.fragment:
        raise SettingsError(
            [f"console.workers: holds {address[:200]!r}: expected an address such as http://127.0.0.1:8080"]
        )
    return url


async def _addresses(base: URL) -> list[str]:
    """Every address of the name, in order; none where it has none now."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(str(base.host), base.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    addresses = sorted({str(entry[4][0]) for entry in found})
    # `localhost` has two addresses and one worker behind them.
    loopback = [address for address in addresses if address in ("127.0.0.1", "::1")]
    return loopback[:1] if loopback else addresses


def _name(base: URL, address: str) -> str:
    return str(base.with_host(address).with_path(base.path if base.path != "/" else "")).rstrip("/")
