"""The local broker as its users meet it: `run_broker` in a process of its own, `LocalBroker` in this one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage] - its documented place
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
)
from confluent_kafka.cimpl import NewTopic

from streams.broker import BrokerError, LocalBroker
from streams.broker.data_folder import DataFolder
from streams.broker.runtime import prepare_runtime

FOREGROUND = """
import sys
from pathlib import Path
from streams.broker import foreground, local

wait_until_ready = local.wait_until_ready
def announced(*arguments):
    print("launched", flush=True)
    return wait_until_ready(*arguments)
local.wait_until_ready = announced

class Announced(local.LocalBroker):
    def wait(self):
        print("pid", self.pid, flush=True)
        return super().wait()
foreground.LocalBroker = Announced

sys.exit(foreground.run_broker(Path(sys.argv[1]), int(sys.argv[2]), sys.stdout))
"""
# What librdkafka says while a broker is away is no news in tests that stop it.
QUIET = {"log_level": 0}
TIMEOUT_S = 60


@pytest.fixture(scope="module", autouse=True)
def fetched() -> None:
    """The jars are there: on a new machine the first broker says that it fetches them, and these tests read what it
    says."""
    prepare_runtime(print)


@contextmanager
def in_the_foreground(data: Path, port: int = 0) -> Generator[subprocess.Popen[str]]:
    """`run_broker` in a process that prints two lines more: `launched`, before it waits for Kafka, and its `pid`."""
    process = subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, str(data), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str], word: str) -> str:
    """What follows `word` on the next line that the process prints."""
    assert process.stdout is not None
    first, _, rest = process.stdout.readline().rstrip("\n").partition(" ")
    assert first == word
    return rest


def is_listening(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def make_topic(servers: str, name: str) -> None:
    # Bound to a name: the client must live until its request is answered.
    admin = AdminClient({"bootstrap.servers": servers, **QUIET})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(TIMEOUT_S)


def committed_values(servers: str, topic: str) -> list[bytes | None]:
    """All values in the topic's only partition that a read-committed reader sees."""
    reader = Consumer(
        {"bootstrap.servers": servers, "group.id": "reader", "isolation.level": "read_committed", **QUIET}
    )
    place = TopicPartition(topic, 0, 0)
    _, end = reader.get_watermark_offsets(place, timeout=TIMEOUT_S)
    reader.assign([place])
    values: list[bytes | None] = []
    while reader.position([place])[0].offset < end:
        if message := reader.poll(1):
            assert message.error() is None
            values.append(message.value())
    reader.close()
    return values


def test_it_serves_transactions_and_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    with in_the_foreground(tmp_path / "data") as process:
        next_line(process, "launched")
        servers = next_line(process, "ready")
        make_topic(servers, "posts")
        producer = Producer({"bootstrap.servers": servers, "transactional.id": "test", **QUIET})
        producer.init_transactions(TIMEOUT_S)
        for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
            producer.begin_transaction()
            producer.produce("posts", value)
            producer.flush(TIMEOUT_S)
            end(TIMEOUT_S)
        assert committed_values(servers, "posts") == [b"committed"]
        next_line(process, "pid")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "", "")
    assert not is_listening(servers)
    # Kafka writes it at the end of a clean stop.
    assert (tmp_path / "data" / "kafka" / ".kafka_cleanshutdown").exists()


def test_ctrl_c_during_the_start_is_a_clean_stop(tmp_path: Path) -> None:
    with in_the_foreground(tmp_path / "data") as process:
        next_line(process, "launched")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "", "")


def test_kafka_is_gone_with_the_process_that_ran_it_and_its_folder_is_free(tmp_path: Path) -> None:
    with in_the_foreground(tmp_path / "data") as process:
        next_line(process, "launched")
        servers = next_line(process, "ready")
        with pytest.raises(BrokerError, match=rf"is in use by another broker \(process {process.pid}\)"):
            LocalBroker(tmp_path / "data").start()
        process.kill()
        process.wait()
    # Kafka's own process holds the lock too, so that who gets it knows that Kafka is gone.
    folder = DataFolder(tmp_path / "data")
    folder.claim()
    folder.release()
    assert not is_listening(servers)


def test_it_says_so_where_kafka_ends_by_itself(tmp_path: Path) -> None:
    with in_the_foreground(tmp_path / "data") as process:
        next_line(process, "launched")
        next_line(process, "ready")
        os.kill(int(next_line(process, "pid")), signal.SIGKILL)
        out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    assert (
        err == f"Kafka ended by itself with exit code -9: it logged no error (more in {tmp_path / 'data' / 'logs'})\n"
    )


def test_a_used_port_is_one_sentence_and_a_failure(kafka: LocalBroker, tmp_path: Path) -> None:
    port = int(kafka.bootstrap_servers.partition(":")[2])
    with in_the_foreground(tmp_path / "data", port) as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    assert err == (
        f"Port {port} on 127.0.0.1 is in use by another program: stop it, or choose another port (0: a free one)\n"
    )


def test_what_was_written_outlives_a_kill_and_the_address_stays(kafka: LocalBroker, topic_prefix: str) -> None:
    servers, topic = kafka.bootstrap_servers, f"{topic_prefix}posts"
    make_topic(servers, topic)
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, **QUIET})
    producer.produce(topic, b"before")
    assert producer.flush(TIMEOUT_S) == 0
    os.kill(kafka.pid, signal.SIGKILL)
    assert "exit code -9" in kafka.wait()
    assert not kafka.running
    producer.produce(topic, b"meanwhile")
    kafka.start()
    assert kafka.bootstrap_servers == servers
    assert producer.flush(TIMEOUT_S) == 0
    assert committed_values(servers, topic) == [b"before", b"meanwhile"]


def test_a_stopped_broker_starts_again(kafka: LocalBroker) -> None:
    kafka.stop()
    assert not kafka.running
    assert not is_listening(kafka.bootstrap_servers)
    kafka.stop()
    kafka.start()
    assert is_listening(kafka.bootstrap_servers)
    with pytest.raises(RuntimeError, match="is running already"):
        kafka.start()


def test_its_settings_are_those_that_workers_count_on(kafka: LocalBroker) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    broker = ConfigResource(ResourceType.BROKER, "1")
    settings = {name: entry.value for name, entry in admin.describe_configs([broker])[broker].result(TIMEOUT_S).items()}
    listeners = str(settings["listeners"]).split(",")
    assert all(listener.partition("://")[2].startswith("127.0.0.1:") for listener in listeners)
    expected = {
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "group.consumer.min.session.timeout.ms": "6000",
        "group.consumer.session.timeout.ms": "6000",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    }
    assert {name: settings[name] for name in expected} == expected
    assert int(str(settings["message.max.bytes"])) > 4 * 2**20
