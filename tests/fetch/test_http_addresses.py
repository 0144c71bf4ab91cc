"""Fetching over HTTP: who may be asked."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from yarl import URL

from processors.fetch.addresses import AddressRule
from processors.fetch.faults import RemoteFault, Unfetchable
from processors.fetch.http_source import HttpSource
from processors.fetch.options import FetchOptions
from tests.fetch.http_parts import BODY, LOOPBACK, PLAIN, closed_to, fetch, open_to, refusal
from tests.fetch.servers import Names, Server, answer, redirect


def test_bytes_of_an_allowed_server_are_fetched() -> None:
    server = Server({"/a.png": answer(BODY, "200 OK", "Content-Type: text/html")})
    assert fetch(server, lambda s: s.url("/a.png"), open_to) == BODY


def test_an_ipv6_server_that_is_allowed_is_fetched_from() -> None:
    server = Server({"/": answer(BODY)})
    assert fetch(server, lambda s: f"http://[::1]:{s.port}/", open_to, host="::1") == BODY


def test_a_name_is_looked_up_and_its_address_fetched_from() -> None:
    names = Names({"cdn.example": [["127.0.0.1"]]})
    server = Server({"/": answer(BODY)})
    assert fetch(server, lambda s: s.url(host="cdn.example"), open_to, names) == BODY
    assert names.asked == ["cdn.example"]
    assert b"Host: cdn.example" in server.requests[0]


def test_requests_say_little_of_us_and_ask_for_nothing_compressed() -> None:
    server = Server({"/": answer(BODY)})
    fetch(server, Server.url, open_to)
    head = server.requests[0].lower()
    assert b"accept-encoding: identity" in head
    assert b"user-agent: modstream\r\n" in head
    assert b"cookie" not in head
    assert b"authorization" not in head


HOSTS_OF_LOOPBACK = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.0.0.1..",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "0",
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::1]",
    "[fe80::1%25lo]",
    "[::1%25lo]",
]


@pytest.mark.parametrize("host", HOSTS_OF_LOOPBACK)
def test_no_way_of_writing_loopback_reaches_it(host: str) -> None:
    server = Server({"/": answer(BODY)})
    refusal(server, lambda s: f"http://{host}:{s.port}/", closed_to)
    assert server.connections == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "0x7f.1", "127.1"])
def test_the_systems_own_resolver_reaches_no_loopback_either(host: str) -> None:
    server = Server({"/": answer(BODY)})

    async def work() -> None:
        async with server.running(), HttpSource.opened(closed_to(server)) as source:
            await source.read(f"http://{host}:{server.port}/", "acme")

    with pytest.raises((Unfetchable, RemoteFault), match=r"not public|cannot be looked up"):
        asyncio.run(work())
    assert server.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["127.0.0.1", "::1"],
        ["10.0.0.1", "169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"],
        ["0.0.0.0"],  # noqa: S104 - nothing is bound to it
        ["fe80::1%lo"],
    ],
)
def test_a_name_that_leads_inside_is_refused(addresses: list[str]) -> None:
    server = Server({"/": answer(BODY)})
    names = Names({"cdn.example": [addresses]})
    why = refusal(server, lambda s: s.url(host="cdn.example"), closed_to, names)
    assert why == "cdn.example leads to an address that is not public (media.allowed_networks)"
    assert server.connections == 0


def test_what_a_name_leads_to_is_told_to_nobody() -> None:
    server = Server({"/": answer(BODY)})
    names = Names({"a.example": [["10.1.2.3"]]})
    assert "10.1.2.3" not in refusal(server, lambda s: s.url(host="a.example"), closed_to, names)


def test_a_name_whose_answers_change_is_judged_by_the_address_that_is_connected_to() -> None:
    """First an allowed address, then another: the second look-up is for the second connection, and is refused there."""
    names = Names({"a.example": [["127.0.0.1"], ["127.0.0.2"]]})
    server = Server({"/": redirect("/again"), "/again": answer(BODY)})

    def options(s: Server) -> FetchOptions:
        return replace(PLAIN, allowed_ports=(s.port,), allowed_networks=("127.0.0.1/32",))

    why = refusal(server, lambda s: s.url(host="a.example"), options, names)
    assert "not public" in why
    assert names.asked == ["a.example", "a.example"]
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/secret", "//127.0.0.2:{port}/secret"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_inside_is_refused(target: str, status: str) -> None:
    server = Server({"/secret": answer(BODY)})

    def start(s: Server) -> str:
        s.answers["/"] = redirect(target.format(port=s.port), status)
        return s.url()

    def options(s: Server) -> FetchOptions:
        return replace(PLAIN, allowed_ports=(s.port,), allowed_networks=("127.0.0.1/32",))

    assert "not public" in refusal(server, start, options)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("file:///etc/passwd", "no https address"),
        ("ftp://127.0.0.1/x", "no https address"),
        ("gopher://127.0.0.1:6379/_x", "no https address"),
        ("data:image/png;base64,AAAA", "no https address"),
        ("http://user:secret@127.0.0.1/", "user name or password"),
        ("http://127.0.0.1:22/", "port 22"),
        ("http://[::1", "not valid"),
        ("http://127.0.0.1:99999/", "not valid"),
    ],
)
def test_each_hop_is_checked_like_the_first_address(target: str, why: str) -> None:
    server = Server({"/": redirect(target)})
    found = refusal(server, Server.url, open_to)
    assert why in found
    assert "redirected to" in found
    assert "secret" not in found
    assert server.connections == 1


def test_redirects_are_followed_up_to_their_limit() -> None:
    answers = {f"/{hop}": redirect(f"/{hop + 1}") for hop in range(3)}
    server = Server({**answers, "/3": answer(BODY)})
    assert fetch(server, lambda s: s.url("/0"), open_to) == BODY
    server = Server({**answers, "/3": redirect("/4"), "/4": answer(BODY)})
    assert refusal(server, lambda s: s.url("/0"), open_to) == "more than 3 redirects (media.max_redirects)"
    assert len(server.requests) == 4


def test_a_redirect_in_a_circle_ends() -> None:
    server = Server({"/": redirect("/")})
    assert "redirects" in refusal(server, Server.url, open_to)
    assert len(server.requests) == 4


def test_http_is_off_by_default() -> None:
    server = Server({"/": answer(BODY)})
    why = refusal(server, Server.url, lambda s: open_to(s, FetchOptions()))
    assert why == "its address is one with http, which is not fetched (media.allow_http)"
    assert server.connections == 0


def test_https_does_not_redirect_to_http_unless_that_is_allowed() -> None:
    async def checked(options: FetchOptions) -> URL:
        async with HttpSource.opened(options, Names({})) as source:
            return source._checked("http://cdn.example/x", URL("https://cdn.example/"))

    with pytest.raises(Unfetchable, match=r"redirected to one with http, which is not fetched"):
        asyncio.run(checked(FetchOptions()))
    assert asyncio.run(checked(FetchOptions(allow_http=True))) == URL("http://cdn.example/x")


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("http://127.0.0.1:1/x", "port 1,"),
        ("http://u:p@127.0.0.1/x", "user name or password"),
        ("http://u@127.0.0.1/x", "user name or password"),
        ("http:", "no https address"),
        ("http:/x", "no https address"),
        ("https:///x", "no https address"),
        ("http://good.example\\@127.0.0.1/x", "not valid"),
        ("http://[::1/x", "not valid"),
        ("http://a b/x", ""),
        ("http://a..b/x", ""),
        ("http://%31%32%37.0.0.1/x", ""),
        ("http://localhost%00.example/x", ""),
        ("http://" + "a" * 300 + ".example/x", ""),
    ],
)
def test_odd_addresses_end_in_one_sentence(uri: str, why: str) -> None:
    async def work() -> None:
        # A resolver that would lead every one of them to loopback, were it asked.
        async with HttpSource.opened(PLAIN) as source, asyncio.timeout(10):
            await source.read(uri, "acme")

    with pytest.raises((Unfetchable, RemoteFault)) as caught:
        asyncio.run(work())
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server = Server({"/": answer(BODY)})
    assert fetch(server, Server.url, open_to) == BODY


def through_proxy(server: Server) -> FetchOptions:
    return replace(PLAIN, proxy=f"http://127.0.0.1:{server.port}")


def test_a_proxy_that_is_set_gets_all_requests_wherever_it_is() -> None:
    server = Server({"http://cdn.example/a.png": answer(BODY)})
    assert fetch(server, lambda _: "http://cdn.example/a.png", through_proxy) == BODY


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "[::1]", "169.254.169.254", "0x7f.1", "127.0.0.1."])
def test_a_proxy_is_not_asked_for_addresses_inside(host: str) -> None:
    server = Server({})
    assert "not public" in refusal(server, lambda _: f"http://{host}/", through_proxy)
    assert server.connections == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2")
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def work() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        options = FetchOptions(allowed_ports=(port,), allowed_networks=LOOPBACK)
        async with server, HttpSource.opened(options, Names({})) as source:
            await source.read(f"https://127.0.0.1:{port}/", "acme")

    with pytest.raises(Unfetchable, match=r"the certificate of 127.0.0.1 is not valid"):
        asyncio.run(work())


def test_the_connected_address_is_what_is_judged() -> None:
    """Whatever a check before it said: the socket itself is refused."""
    server = Server({"/": answer(BODY)})

    async def work() -> None:
        async with server.running(), HttpSource.opened(closed_to(server), Names({})) as source:
            source._rule = AddressRule(LOOPBACK)  # the check of literal addresses, blinded
            await source.read(server.url(), "acme")

    with pytest.raises(Unfetchable, match="not public"):
        asyncio.run(work())
    assert server.connections == 0
