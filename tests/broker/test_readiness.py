from __future__ import annotations

from pathlib import Path

from streams.broker.readiness import complaint, size_of, wait_until_ready

LOG = """\
2026-11-22 05:46:02,351 INFO SocketServer [SocketServer listenerType=BROKER, nodeId=1] Enabling request processing.
2026-11-22 05:46:02,351 ERROR DataPlaneAcceptor Unable to start acceptor for PLAINTEXT
org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:92: Address already in use.
\tat org.apache.kafka.network.SocketServer.openServerSocket(SocketServer.java:1)
Caused by: java.net.BindException: Address already in use
2026-11-22 05:46:02,355 ERROR BrokerServer [BrokerServer id=1] Fatal error during broker startup. Prepare to shutdown
java.lang.RuntimeException: Received a fatal error while waiting for all of the SocketServer Acceptors to be started
"""


def test_the_first_error_is_the_cause(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text(LOG)
    assert complaint(tmp_path / "server.log", 0, tmp_path / "console.log") == (
        "org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:92: Address already in use."
    )


def test_an_error_without_an_exception_speaks_for_itself(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("2026-11-22 05:46:02,355 ERROR LogManager Shutdown broker because all log dirs have failed\n")
    assert complaint(log, 0, tmp_path / "console.log") == "Shutdown broker because all log dirs have failed"


def test_errors_of_earlier_starts_do_not_count_and_java_has_the_last_word(tmp_path: Path) -> None:
    log, console = tmp_path / "server.log", tmp_path / "console.log"
    log.write_text(LOG)
    console.write_text("Terminating due to java.lang.OutOfMemoryError: Java heap space\n\n")
    assert "OutOfMemoryError" in complaint(log, size_of(log), console)
    # Rotated since: what is there now is new.
    assert "Address already in use" in complaint(log, size_of(log) + 1, console)


def test_a_broker_that_may_not_go_on_is_not_waited_for() -> None:
    assert not wait_until_ready(1, "cluster", lambda: False)
