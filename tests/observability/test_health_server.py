"""The endpoints as a probe, a scraper and a stranger see them: over a socket."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from streams.health import Health, HealthServer, Ready, server
from streams.metrics import WorkerMetrics
from streams.settings import HttpSettings, SettingsError
from tests.observability.instruments import SetClock

PATIENCE_S = 30
"""A socket that waits this long has hung."""


@pytest.fixture
def health(clock: SetClock) -> Health:
    return Health(ticket_age_limit_s=300, clock=clock)


@pytest.fixture
def serving(health: Health, registry: CollectorRegistry) -> Iterator[HealthServer]:
    with HealthServer(health, registry, HttpSettings(host="127.0.0.1", port=0)) as serving:
        yield serving


def ask(
    serving: HealthServer, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(serving.host, serving.port, timeout=PATIENCE_S)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def send(serving: HealthServer, raw: bytes) -> bytes:
    """Everything that comes back; nothing where the server closed the connection on us."""
    with socket.create_connection((serving.host, serving.port), timeout=PATIENCE_S) as connection:
        received = b""
        try:
            connection.sendall(raw)
            while chunk := connection.recv(65_536):
                received += chunk
        except ConnectionError:
            pass
        return received


def test_live_is_503_once_the_loop_hangs(serving: HealthServer, health: Health, clock: SetClock) -> None:
    health.beat()
    assert ask(serving, "/live")[0] == 200
    clock.now += 31
    status, headers, body = ask(serving, "/live")
    assert status == 503
    assert headers["content-type"] == "application/json"
    assert [entry["name"] for entry in json.loads(body)["conditions"] if not entry["ok"]] == ["loop"]


def test_ready_is_503_until_everything_holds(serving: HealthServer, health: Health) -> None:
    status, _, body = ask(serving, "/ready")
    assert status == 503
    reasons = {entry["name"]: entry["reason"] for entry in json.loads(body)["conditions"]}
    assert reasons["joined"] == "has not joined the consumer group yet"
    for condition in Ready:
        health.set(condition, True, "so it is")
    status, _, body = ask(serving, "/ready?verbose=1")
    assert status == 200
    assert json.loads(body)["ok"] is True


def test_head_has_the_status_without_the_body(serving: HealthServer) -> None:
    status, headers, body = ask(serving, "/ready", method="HEAD")
    assert (status, body) == (503, b"")
    assert int(headers["content-length"]) > 0


def test_metrics_come_as_prometheus_text(serving: HealthServer, registry: CollectorRegistry) -> None:
    WorkerMetrics(registry=registry).stage("encode").batch(items=4, cost=90, queue_s=0.1, prepare_s=0.1, compute_s=0.1)
    status, headers, body = ask(serving, "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in parse_text(body.decode())}
    assert families["modstream_batch_items"].type == "histogram"
    assert "modstream_transactions" in families
    assert b"_created" not in body


def test_metrics_come_as_openmetrics_to_who_accepts_it(serving: HealthServer, registry: CollectorRegistry) -> None:
    metrics = WorkerMetrics(registry=registry)
    metrics.end_to_end("standard", "text", [0])
    metrics.decided([("block", 'a"\\\nb', "en", "EU")])
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
    status, headers, body = ask(serving, "/metrics", headers={"Accept": accept})
    assert status == 200
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert "modstream_end_to_end_seconds" in {family.name for family in parse_openmetrics(body.decode())}


def test_what_is_not_there_says_what_is(serving: HealthServer) -> None:
    status, _, body = ask(serving, "/../etc/passwd")
    assert (status, body) == (404, b"try /live, /ready or /metrics\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_only_get_and_head_are_allowed(serving: HealthServer, method: str) -> None:
    status, headers, _ = ask(serving, "/live", method=method)
    assert status == 405
    assert headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /live" + b"x" * 40_000,
        b"GET /live HTTP/1.1\r\n" + b"x-header: " + b"y" * 40_000 + b"\r\n\r\n",
        b"GET /live HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
    ],
    ids=["long line", "long header", "many headers", "TLS", "empty", "no path"],
)
def test_a_request_that_is_too_large_or_none_is_not_served_and_harms_nobody(
    serving: HealthServer, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert b" 200 " not in send(serving, raw)
    assert ask(serving, "/live")[0] == 200
    assert caplog.records == []


def test_a_client_that_says_nothing_is_not_waited_for(serving: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_TIMEOUT_S", 0.05)
    assert send(serving, b"GET /live HTTP/1.1\r\nx-slow: ") == b""


def test_clients_over_the_limit_are_turned_away_and_others_are_served_again_after(serving: HealthServer) -> None:
    address = (serving.host, serving.port)
    idle = [socket.create_connection(address, timeout=PATIENCE_S) for _ in range(server.MAX_CONNECTIONS)]
    assert send(serving, b"GET /live HTTP/1.0\r\n\r\n") == b""
    for connection in idle:
        connection.sendall(b"GET /live HTTP/1.0\r\n\r\n")
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.0 200")
        connection.close()


def test_probes_and_scrapers_are_answered_side_by_side(serving: HealthServer, registry: CollectorRegistry) -> None:
    metrics = WorkerMetrics(registry=registry)
    stage = metrics.stage("encode")

    def work(number: int) -> int:
        metrics.lag("moderation.posts", number % 3, number, number)
        stage.finished(1)
        metrics.forget_partition("moderation.posts", number % 3)
        return ask(serving, "/metrics")[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(40))) == {200}
    assert registry.get_sample_value("modstream_stage_records_total", {"stage": "encode"}) == 40


def test_a_metric_that_cannot_be_read_is_told_in_the_log(
    serving: HealthServer, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def describe(self) -> list[object]:
            return []

        def collect(self) -> list[object]:
            raise RuntimeError("no value today")

    registry.register(Broken())  # pyright: ignore[reportArgumentType]
    assert send(serving, b"GET /metrics HTTP/1.0\r\n\r\n") == b""
    assert "no value today" in caplog.text


def test_an_address_that_is_taken_is_told_with_its_setting(serving: HealthServer, registry: CollectorRegistry) -> None:
    taken = HttpSettings(host=serving.host, port=serving.port)
    with pytest.raises(SettingsError, match=rf"http\.port = 127\.0\.0\.1, {serving.port}: cannot listen there: Addr"):
        HealthServer(Health(ticket_age_limit_s=1), registry, taken)


def test_an_address_that_is_not_ours_is_told_with_its_setting(registry: CollectorRegistry) -> None:
    with pytest.raises(SettingsError, match=r"http\.host.*no-such-host\.invalid.*cannot listen there"):
        HealthServer(Health(ticket_age_limit_s=1), registry, HttpSettings(host="no-such-host.invalid"))


def test_a_server_that_is_closed_frees_its_port(health: Health, registry: CollectorRegistry) -> None:
    first = HealthServer(health, registry, HttpSettings(host="127.0.0.1", port=0))
    first.close()
    with HealthServer(health, registry, HttpSettings(host="127.0.0.1", port=first.port)) as second:
        assert ask(second, "/live")[0] == 200


def test_a_host_may_be_a_name(health: Health, registry: CollectorRegistry) -> None:
    with HealthServer(health, registry, HttpSettings(host="localhost")) as serving:
        assert ask(serving, "/live")[0] == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_a_host_may_be_an_ipv6_address(health: Health, registry: CollectorRegistry) -> None:
    try:
        serving = HealthServer(health, registry, HttpSettings(host="::1"))
    except SettingsError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    with serving:
        assert ask(serving, "/live")[0] == 200
