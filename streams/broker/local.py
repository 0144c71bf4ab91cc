"""A real Apache Kafka of one node on this machine: start, stop, kill and start again on the same port and data."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.broker.data_folder import DataFolder, new_cluster_id
from streams.broker.errors import BrokerError
from streams.broker.jars import Progress
from streams.broker.ports import LOOPBACK, free_port, require_free
from streams.broker.process import KafkaProcess
from streams.broker.readiness import complaint, size_of, wait_until_ready
from streams.broker.runtime import Runtime, prepare_runtime

# 3 s on an idle machine; the rest is for a busy one, and for the recovery of much data after a kill.
START_TIMEOUT_S = 120.0
# From SIGTERM to SIGKILL. Kafka takes less than a second when idle, and longer to write much unflushed data.
STOP_GRACE_S = 30.0


def _silent(message: str) -> None:
    del message


class LocalBroker:
    """A local Kafka, as a context manager or by `start` and `stop`; it never outlives this process.

    Args:
        data: The folder that holds everything; made where it is missing. What is in it is there again at the next
            start.
        port: Where clients connect, on loopback; 0 takes a free one at the first start and keeps it from then on.
        progress: Told, in sentences, what takes long (fetching jars).
    """

    def __init__(self, data: Path, port: int = 0, *, progress: Progress = _silent) -> None:
        self._folder = DataFolder(data)
        self._port = port
        self._progress = progress
        self._process: KafkaProcess | None = None
        self._log_start = 0

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:PORT`, known from the first start on where a free port was asked for."""
        if self._port == 0:
            raise RuntimeError("the port of a broker that takes a free one is known after its first start")
        return f"{LOOPBACK}:{self._port}"

    @property
    def data(self) -> Path:
        return self._folder.path

    @property
    def pid(self) -> int:
        """The id of Kafka's process."""
        if self._process is None:
            raise RuntimeError("the broker is not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.exit_code is None

    def start(self, timeout: float = START_TIMEOUT_S) -> None:
        """Start Kafka and return when it accepts clients; `timeout` in seconds, without the fetching of jars.

        Raises:
            BrokerError: the reason in one sentence. Nothing is left running then.
        """
        if self.running:
            raise RuntimeError(f"the broker on {self.bootstrap_servers} is running already")
        # One that ended by itself still has its folder.
        self.kill()
        runtime = prepare_runtime(self._progress)
        self._folder.claim()
        try:
            self._folder.require_readable_by(runtime.kafka_version)
            self._port = self._port or free_port()
            require_free(self._port)
            self._launch(runtime, time.monotonic() + timeout)
        except OSError as error:
            self.kill()
            raise BrokerError(f"The data folder {self._folder.path} cannot be used: {error}") from error
        except BaseException:
            self.kill()
            raise

    def stop(self, grace: float = STOP_GRACE_S) -> None:
        """Stop Kafka cleanly, by force after `grace` seconds; harmless where it does not run."""
        if self._process is not None:
            self._process.terminate()
            if self._process.wait(grace) is None:
                self._progress(f"Kafka did not stop within {grace:g} s and is killed")
        self.kill()

    def kill(self) -> None:
        """End Kafka at once, as a power cut does (SIGKILL); harmless where it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._folder.release()

    def wait(self) -> str:
        """Wait until Kafka ends by itself, and return how and why, in one sentence."""
        if self._process is None:
            raise RuntimeError("the broker is not started")
        code = self._process.wait()
        return f"Kafka ended by itself with exit code {code}: {self._why()}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, runtime: Runtime, deadline: float) -> None:
        folder = self._folder
        self._log_start = size_of(folder.server_log)
        folder.write_properties(self._port, free_port(besides=self._port))
        cluster_id = folder.cluster_id or self._format(runtime, deadline)
        self._process = KafkaProcess(runtime.command("kafka.Kafka", folder.properties.name), folder)
        process = self._process

        def may_go_on() -> bool:
            return process.exit_code is None and time.monotonic() < deadline

        if wait_until_ready(self._port, cluster_id, may_go_on):
            return
        if process.exit_code is None:
            raise BrokerError(
                f"Kafka did not answer on {self.bootstrap_servers} in time; its first error: {self._why()}"
            )
        raise BrokerError(f"Kafka ended with exit code {process.exit_code} before it was ready: {self._why()}")

    def _format(self, runtime: Runtime, deadline: float) -> str:
        """Format the empty folder, and return the id of its new cluster."""
        folder = self._folder
        folder.mark_formatted_by(runtime.kafka_version)
        cluster_id = new_cluster_id()
        options = ("--standalone", "--cluster-id", cluster_id, "--config", folder.properties.name)
        self._process = KafkaProcess(runtime.command("kafka.tools.StorageTool", "format", *options), folder)
        code = self._process.wait(deadline - time.monotonic())
        if code != 0:
            failure = "took too long" if code is None else f"failed with exit code {code}"
            raise BrokerError(f"Formatting the data folder {folder.path} {failure}: {self._why()}")
        return cluster_id

    def _why(self) -> str:
        folder = self._folder
        return f"{complaint(folder.server_log, self._log_start, folder.console)} (more in {folder.logs})"
