"""Media at `https` and `http` addresses, whose names, redirects and bytes come from people who want to break in.

What counts is the address that a socket connects to, not what a name resolved to a moment before: `_socket` is asked
for the socket of every connection, literal addresses and redirects included.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from processors.fetch.addresses import AddressRefused, AddressRule, literal
from processors.fetch.body import Body
from processors.fetch.faults import RemoteFault, Unfetchable, too_large
from processors.fetch.lookups import Lookups
from processors.fetch.options import FetchOptions

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientResponse

HEADERS = {"User-Agent": "modstream", "Accept": "*/*", "Accept-Encoding": "identity"}
"""Nothing that unpacks itself: a limit on bytes must be one on what they become."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})

PASSING = frozenset({408, 425, 429})
"""With all from 500 on: answers to ask again after."""

MAX_HOST_CHARS = 100


class HttpSource:
    """Use it within `opened`."""

    def __init__(self, options: FetchOptions, session: aiohttp.ClientSession, rule: AddressRule) -> None:
        self._options = options
        self._session = session
        self._rule = rule

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, options: FetchOptions, resolver: AbstractResolver | None = None
    ) -> AsyncGenerator[HttpSource]:
        """`resolver`: by default the system's."""
        rule = AddressRule(options.allowed_networks)
        lookups = resolver or Lookups()
        connector = aiohttp.TCPConnector(
            resolver=lookups,
            use_dns_cache=False,
            limit=0,  # the stage bounds what is under way
            # A proxy is the operator's own choice, wherever it is.
            socket_factory=None if options.proxy else partial(_socket, rule),
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=HEADERS,
            trust_env=False,
            auto_decompress=False,
            proxy=options.proxy,
            timeout=aiohttp.ClientTimeout(total=None),  # the stage limits the whole of it
        )
        try:
            async with session:
                yield cls(options, session, rule)
        finally:
            await lookups.close()

    async def read(self, uri: str, _tenant: str, /) -> bytes:
        url = self._checked(uri)
        for _ in range(self._options.max_redirects + 1):
            async with self._answer(url) as answer:
                target = _redirect(answer)
                if target is None:
                    return await self._body(answer)
            url = self._checked(target, url)
        raise Unfetchable(f"more than {self._options.max_redirects} redirects (media.max_redirects)")

    def _checked(self, uri: str, base: URL | None = None) -> URL:
        """The address as one that may be asked, taken from `base` where that redirects to it."""
        which = "redirected to" if base else "its address is"
        try:
            url = URL(uri)
            if base is not None:
                url = base.join(url)
            host, port = url.raw_host, url.port
        except ValueError:
            raise Unfetchable(f"{which} one that is not valid") from None
        if url.scheme not in ("https", "http") or not host:
            raise Unfetchable(f"{which} no https address with a host")
        if url.scheme == "http" and not self._options.allow_http:
            raise Unfetchable(f"{which} one with http, which is not fetched (media.allow_http)")
        if url.user is not None or url.password is not None:
            raise Unfetchable(f"{which} one with a user name or password")
        if port not in self._options.allowed_ports:
            raise Unfetchable(f"{which} one with port {port}, which is not fetched (media.allowed_ports)")
        address = literal(host)
        if address is not None and not self._rule.allows(address):
            raise _refused(host)
        return url.with_fragment(None)

    @asynccontextmanager
    async def _answer(self, url: URL) -> AsyncGenerator[ClientResponse]:
        host = str(url.raw_host)[:MAX_HOST_CHARS]
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                yield answer
        except aiohttp.InvalidURL:
            raise Unfetchable("its address is not valid") from None
        except aiohttp.ClientConnectorCertificateError:
            raise Unfetchable(f"the certificate of {host} is not valid") from None
        except aiohttp.ClientConnectorDNSError:
            raise RemoteFault(f"the name {host} cannot be looked up") from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise _refused(host) from None
            raise RemoteFault(f"{host} cannot be connected to") from None
        except aiohttp.ClientResponseError:
            raise RemoteFault(f"{host} answered with what is not HTTP") from None
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise RemoteFault(f"the connection to {host} broke off") from None
        except ValueError:  # a host that is no name in DNS
            raise Unfetchable("its address is not valid") from None

    async def _body(self, answer: ClientResponse) -> bytes:
        host = str(answer.url.raw_host)[:MAX_HOST_CHARS]
        if answer.status in PASSING or answer.status >= 500:
            raise RemoteFault(f"{host} answered with status {answer.status}")
        if answer.status not in (200, 203):
            raise Unfetchable(f"{host} answered with status {answer.status}")
        if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            raise Unfetchable(f"{host} sent it compressed, which was not asked for")
        limit = self._options.max_bytes
        if (answer.content_length or 0) > limit:
            raise too_large(limit)
        body = Body(limit)
        async for chunk in answer.content.iter_any():
            body.add(chunk)
        return body.whole()


def _redirect(answer: ClientResponse) -> str | None:
    return answer.headers.get("Location") if answer.status in REDIRECTS else None


def _refused(host: str) -> Unfetchable:
    return Unfetchable(f"{host[:MAX_HOST_CHARS]} leads to an address that is not public (media.allowed_networks)")


def _socket(rule: AddressRule, address: tuple[Any, ...]) -> socket.socket:
    """A socket for a connection to `address` (as `getaddrinfo` gives them). Raises `AddressRefused`."""
    family, kind, protocol, _, target = address
    if not rule.allows(target[0]):
        raise AddressRefused
    return socket.socket(family, kind, protocol)
