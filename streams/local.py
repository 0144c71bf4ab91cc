"""The whole chain on this machine: what `modstream up` and `modstream demo` share. At its end, nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from streams.broker import LocalBroker, guard
from streams.broker.ports import free_port, why_not_free
from streams.kafka import check_connection
from streams.settings import Settings
from streams.topics import create_topics, planned

KAFKA_FOLDER = "kafka"
"""In the state folder: the data of a local Kafka that is meant to stay."""

KAFKA_PORT = 9092
"""The port that everybody tries first."""

READY_TIMEOUT_S = 120.0
"""For a worker to load its models and join: seconds on an idle machine."""

STOP_MARGIN_S = 10.0
"""What a worker may need beyond its drain timeout: its last commit, and leaving the group."""

POLL_S = 0.2

Say = Callable[[str], None]


class ChainFailed(Exception):
    """A part of the local chain did not start, or ended by itself; the message says which, and why."""


class LocalKafka:
    """The cluster of the settings, or where they name none a Kafka of our own; with all topics in it."""

    def __init__(self, settings: Settings, data: Path, port: int, say: Say) -> None:
        """`port` 0: a free one. `data` is the folder of our own Kafka."""
        self._settings = settings
        self._broker = None if settings.kafka.bootstrap_servers else LocalBroker(data, port, progress=say)
        self._say = say

    def __enter__(self) -> Settings:
        """Start it, and return the settings with its address in them. Raises BrokerError, Unreachable, TopicsError."""
        settings = self._settings
        if self._broker is not None:
            self._say("starting Kafka")
            self._broker.start()
            kafka = msgspec.structs.replace(settings.kafka, bootstrap_servers=self._broker.bootstrap_servers)
            settings = msgspec.structs.replace(settings, kafka=kafka)
        try:
            create_topics(check_connection(settings.kafka), planned(settings.topics))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return settings

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._broker is not None:
            self._broker.stop()

    def check(self) -> None:
        """Raise `ChainFailed` if our own Kafka has ended."""
        if self._broker is not None and not self._broker.running:
            raise ChainFailed(self._broker.wait())


class WorkerProcess:
    """A worker, or the console beside it, as a child process; a context manager that ends it. It cannot outlive us.

    Must be made on the main thread: the kernel ends the child with the *thread* that started it.
    """

    def __init__(
        self, command: Sequence[str], stop_timeout_s: float, log: IO[bytes] | None = None, name: str = "worker"
    ) -> None:
        """`command`: prints `ready` on stdout when it is. `log`: gets its stderr, else ours does. `name`: what it is
        called where it fails."""
        self._stop_timeout_s = stop_timeout_s
        self._name = name
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guard.__file__)), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            # A terminal's Ctrl-C goes to this process alone, which then stops worker and Kafka in their order.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), name=name, daemon=True)
        self._reader.start()

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                if line.strip() == b"ready":
                    self._ready.set()

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    def check(self) -> None:
        """Raise `ChainFailed` if it has ended."""
        code = self._process.poll()
        if code is not None:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise ChainFailed(f"the {self._name} {how}; what it said last is above")

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Raises `ChainFailed` when it ends, or is not ready in time."""
        deadline_s = time.monotonic() + timeout_s
        while not self._ready.wait(POLL_S):
            self.check()
            if time.monotonic() > deadline_s:
                raise ChainFailed(f"the {self._name} was not ready within {timeout_s:g} s")

    def stop(self) -> int:
        """End it: with SIGTERM, and if that takes too long with SIGKILL. Returns its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self._stop_timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        code = self._process.wait()
        self._reader.join()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def kafka_port(wanted: int | None) -> int:
    """The port for a local Kafka: the one asked for, else the usual one where it is free, else any."""
    if wanted is not None:
        return wanted
    return KAFKA_PORT if why_not_free(KAFKA_PORT) is None else free_port()


def http_port(settings: Settings) -> int:
    """The worker's HTTP port: known before it starts, so that it can be told."""
    return settings.http.port or free_port()


def console_port(settings: Settings) -> int:
    """The console's port: the one that is set where it is free, else any."""
    wanted = settings.console.port
    return wanted if wanted and why_not_free(wanted) is None else free_port()


def stop_timeout_s(settings: Settings) -> float:
    """How long a worker may take to stop."""
    return settings.worker.drain_timeout_s + STOP_MARGIN_S
