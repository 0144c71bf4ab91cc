"""What no type shows: values that are wrong together, that no library takes, or that name what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

from processors.fetch.cloud_source import CloudAddress
from processors.fetch.options import POST_DECODE_TIMEOUTS, POST_TIMEOUTS
from streams.settings.insights import InsightSettings
from streams.settings.kafka import SecurityProtocol, SecuritySettings
from streams.settings.media import MediaSettings
from streams.settings.tree import Settings
from streams.settings.work import Device, WorkerSettings

_SASL = (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL)
_TLS = (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)


def contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted name, what is wrong with it) for every setting that others do not allow. Looks whether files exist."""
    yield from _security(settings.kafka.security)
    yield from _timeouts(settings)
    yield from _patience(settings)
    yield from _engines(settings.worker)
    yield from _media(settings.media)
    yield from _insights(settings.insights)


def _insights(insights: InsightSettings) -> Iterator[tuple[str, str]]:
    if insights.drift_window_s % insights.window_s:
        yield "insights.drift_window_s", f"expected a multiple of insights.window_s, which is {insights.window_s}"
    if insights.reference_s % insights.drift_window_s:
        yield (
            "insights.reference_s",
            f"expected a multiple of insights.drift_window_s, which is {insights.drift_window_s}",
        )
    if insights.drift_major < insights.drift_moderate:
        yield (
            "insights.drift_major",
            f"expected at least insights.drift_moderate, which is {insights.drift_moderate:g}",
        )


def _engines(worker: WorkerSettings) -> Iterator[tuple[str, str]]:
    if worker.engines is None:
        return
    if worker.device is not Device.TENSORRT:
        yield (
            "worker.engines",
            f"has no effect when worker.device is {worker.device}: expected tensorrt there, or nothing here",
        )
    elif not worker.engines.is_dir():
        yield "worker.engines", f"there is no folder {worker.engines}"


def _media(media: MediaSettings) -> Iterator[tuple[str, str]]:
    for network in media.allowed_networks:
        try:
            ip_network(network)
        except ValueError as error:
            yield "media.allowed_networks", f"holds {network!r}, which is no network: {error}"
    for prefix in media.cloud_prefixes:
        try:
            CloudAddress.of_prefix(prefix)
        except ValueError as error:
            yield "media.cloud_prefixes", f"holds {prefix!r}: {error}"
    for root in media.file_roots:
        if not root.is_dir():
            yield "media.file_roots", f"there is no folder {root}"


def _security(security: SecuritySettings) -> Iterator[tuple[str, str]]:
    sasl = {"sasl_mechanism": security.sasl_mechanism, "username": security.username, "password": security.password}
    for name, value in sasl.items():
        if security.protocol in _SASL and value is None:
            yield f"kafka.security.{name}", f"is needed when kafka.security.protocol is {security.protocol}"
        elif security.protocol not in _SASL and value is not None:
            yield f"kafka.security.{name}", _without_effect(security, "sasl_ssl (or sasl_plaintext)")
    files: dict[str, Path | None] = {
        "ca_file": security.ca_file,
        "cert_file": security.cert_file,
        "key_file": security.key_file,
    }
    for name, path in files.items():
        if path is None:
            continue
        if security.protocol not in _TLS:
            yield f"kafka.security.{name}", _without_effect(security, "ssl (or sasl_ssl)")
        elif not path.is_file():
            yield f"kafka.security.{name}", f"there is no file {path}"
    if (security.cert_file is None) != (security.key_file is None):
        missing, there = ("key_file", "cert_file") if security.key_file is None else ("cert_file", "key_file")
        yield f"kafka.security.{missing}", f"is needed beside kafka.security.{there}"


def _without_effect(security: SecuritySettings, wanted: str) -> str:
    return (
        f"has no effect when kafka.security.protocol is {security.protocol}: expected {wanted} there, or nothing here"
    )


def _timeouts(settings: Settings) -> Iterator[tuple[str, str]]:
    session, poll = settings.kafka.session_timeout_ms, settings.kafka.max_poll_interval_ms
    if session > poll:
        yield "kafka.session_timeout_ms", f"is {session}: expected at most kafka.max_poll_interval_ms, which is {poll}"
    commit, transaction = settings.worker.commit_interval_ms, settings.worker.transaction_timeout_ms
    if commit >= transaction:
        reason = f"is {commit}: expected less than worker.transaction_timeout_ms, which is {transaction}"
        yield "worker.commit_interval_ms", reason


def _patience(settings: Settings) -> Iterator[tuple[str, str]]:
    """A post whose media take all the time that they may must not pass for a worker that hangs."""
    media, age_s = settings.media, settings.worker.ticket_age_limit_s
    post_s = POST_TIMEOUTS * media.fetch_timeout_s + POST_DECODE_TIMEOUTS * media.decode_timeout_s
    if post_s < age_s:
        return
    reason = (
        f"does not go with the others: {POST_TIMEOUTS} * media.fetch_timeout_s + {POST_DECODE_TIMEOUTS} * "
        f"media.decode_timeout_s is {post_s:g}: expected less than worker.ticket_age_limit_s, which is {age_s:g}"
    )
    changed = {
        "media.fetch_timeout_s": media.fetch_timeout_s != MediaSettings().fetch_timeout_s,
        "media.decode_timeout_s": media.decode_timeout_s != MediaSettings().decode_timeout_s,
    }
    yield next((name for name in changed if changed[name]), "worker.ticket_age_limit_s"), reason
