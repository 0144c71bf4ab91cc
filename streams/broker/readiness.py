"""When Kafka accepts clients, and what it said where it did not get that far."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.broker.ports import LOOPBACK

POLL_INTERVAL_S = 0.02
# One question of several: the process may have died meanwhile.
METADATA_TIMEOUT_S = 1.0
# What a failing Kafka logs from its first error, the cause, to its end: a few stack traces.
LOG_TAIL_BYTES = 65_536
# `2026-11-22 05:40:39,261 ERROR Kafka$ Exiting Kafka due to fatal …`, and the exception that begins the next line.
ERROR_LINE = re.compile(r"^\S+ \S+ (?:ERROR|FATAL) \S+ (.+)(?:\n((?:\w+\.)+\w+: .+)$)?", re.MULTILINE)


def wait_until_ready(port: int, cluster_id: str, may_go_on: Callable[[], bool]) -> bool:
    """Wait until the broker of this very cluster names a live broker and a controller in its metadata.

    Before that, a broker that answers may still be fenced, and one on this port may be another one. The first
    connections are plain sockets, because a Kafka client logs each refused one.

    Returns:
        Whether it is ready; False as soon as `may_go_on` says no.
    """
    while may_go_on():
        try:
            socket.create_connection((LOOPBACK, port), timeout=METADATA_TIMEOUT_S).close()
            break
        except OSError:
            time.sleep(POLL_INTERVAL_S)
    admin = AdminClient({"bootstrap.servers": f"{LOOPBACK}:{port}", "log_level": 0})
    while may_go_on():
        try:
            metadata = admin.list_topics(timeout=METADATA_TIMEOUT_S)
        except KafkaException:
            continue
        if str(metadata.cluster_id) == cluster_id and metadata.brokers and metadata.controller_id >= 0:
            return True
        time.sleep(POLL_INTERVAL_S)
    return False


def complaint(server_log: Path, since: int, console: Path) -> str:
    """Why Kafka ended: the first of the errors at the end of its log, later ones being consequences.

    Only what was logged after the first `since` bytes counts; without an error there, it is the last line that Java
    printed.
    """
    if error := ERROR_LINE.search(_tail(server_log, since)):
        return (error[2] or error[1]).strip()
    lines = [line.strip() for line in _tail(console, 0).splitlines() if line.strip()]
    return lines[-1] if lines else "it logged no error"


def size_of(path: Path) -> int:
    """The size of a file in bytes, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def _tail(path: Path, since: int) -> str:
    size = size_of(path)
    if size == 0:
        return ""
    # A log that is shorter than it was has been rotated meanwhile: all of it is new.
    start = since if since <= size else 0
    with path.open("rb") as file:
        file.seek(max(start, size - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", "replace")
