"""The folder in which a local broker keeps everything, and that only one broker at a time may use.

DATA/broker.lock          held by the broker that uses the folder
DATA/broker.json          which Kafka formatted it
DATA/server.properties    the settings of the latest start
DATA/kafka/               Kafka's own: topics and cluster metadata
DATA/logs/                Kafka's logs, rotated; console.log has what the Java machine itself said last
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import time
import uuid
from pathlib import Path

from streams.broker.errors import BrokerError
from streams.broker.jars import KAFKA_FOLDER
from streams.broker.ports import LOOPBACK

# Java holds the lock too, so that nobody gets the folder before Kafka is gone. After a kill that takes a moment.
LOCK_PATIENCE_S = 2.0
LOCK_INTERVAL_S = 0.05


class DataFolder:
    """One data folder, from `claim` to `release` this process's own."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.kafka = self.path / "kafka"
        self.logs = self.path / "logs"
        self.console = self.logs / "console.log"
        self.server_log = self.logs / "server.log"
        self.properties = self.path / "server.properties"
        self._marker = self.path / "broker.json"
        self._lock: int | None = None

    @property
    def lock(self) -> int:
        """The open lock file. A child that inherits it keeps the folder claimed as long as it lives."""
        if self._lock is None:
            raise RuntimeError(f"{self.path} is not claimed")
        return self._lock

    def claim(self) -> None:
        """Make the folder and take its lock.

        Raises:
            BrokerError: it cannot be written, or another broker has it.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "broker.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise BrokerError(f"The data folder {self.path} cannot be written: {error.strerror}") from error
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
                    os.close(lock)
                    raise BrokerError(
                        f"The data folder {self.path} is in use by another broker (process {holder}): stop that one, "
                        "or choose another folder"
                    ) from None
                time.sleep(LOCK_INTERVAL_S)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode("ascii"), 0)
        self._lock = lock

    def release(self) -> None:
        """Let others have the folder; harmless where it is not claimed."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def cluster_id(self) -> str | None:
        """The id of the formatted folder's cluster, or None. Kafka writes this file last, and in one step."""
        try:
            lines = (self.kafka / "meta.properties").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        return dict(line.split("=", 1) for line in lines if "=" in line).get("cluster.id")

    def require_readable_by(self, kafka_version: str) -> None:
        """Raise BrokerError unless the folder is new, or this Kafka's, or an older one's, which this one reads."""
        if self.cluster_id is None:
            return
        remedy = f"choose another data folder, or delete {self.path} and all that is in it"
        try:
            formatted_by = str(json.loads(self._marker.read_text(encoding="utf-8"))["kafka"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            raise BrokerError(
                f"{self.kafka} was formatted by another program, not by `modstream broker`: {remedy}"
            ) from None
        if _numbers(formatted_by) > _numbers(kafka_version):
            raise BrokerError(
                f"The data folder {self.path} was formatted by Kafka {formatted_by}, which is newer than this Kafka "
                f"{kafka_version}: {remedy}"
            )

    def mark_formatted_by(self, kafka_version: str) -> None:
        """Note which Kafka formats the folder, before it does."""
        self._marker.write_text(json.dumps({"kafka": kafka_version}) + "\n", encoding="utf-8")

    def write_properties(self, client_port: int, controller_port: int) -> None:
        """Write the settings of the next start: the shared ones, and what is this start's own.

        Folders are named from here, Kafka's working folder: a properties file would need an escape for each character
        of a path that is not Latin, and takes a comma for the end of one.
        """
        own = {
            "listeners": f"PLAINTEXT://{LOOPBACK}:{client_port},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{client_port},CONTROLLER://{LOOPBACK}:{controller_port}",
            "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller_port}",
            "log.dirs": self.kafka.name,
        }
        shared = (KAFKA_FOLDER / "server.properties").read_text(encoding="utf-8")
        lines = "".join(f"{key}={value}\n" for key, value in own.items())
        self.properties.write_text(f"{shared}\n# This broker's own\n{lines}", encoding="utf-8")


def new_cluster_id() -> str:
    """A random id as Kafka makes them: 16 bytes in 22 characters of URL-safe base64, without a leading dash."""
    while True:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not cluster_id.startswith("-"):
            return cluster_id


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())
