"""An Apache Kafka that lets nobody in without TLS, a password and a permission: certificates and users of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from streams.broker.data_folder import DataFolder, new_cluster_id
from streams.broker.jars import KAFKA_FOLDER
from streams.broker.ports import LOOPBACK, free_port
from streams.broker.process import KafkaProcess
from streams.broker.runtime import Runtime, prepare_runtime

MECHANISM = "SCRAM-SHA-512"
START_TIMEOUT_S = 120.0

_PROPERTIES = """
# This broker's own: later lines win.
listeners=SASL_SSL://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=SASL_SSL://{host}:{port},CONTROLLER://{host}:{controller}
controller.quorum.bootstrap.servers={host}:{controller}
log.dirs=kafka
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms={mechanism}
sasl.mechanism.inter.broker.protocol={mechanism}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \\
    required username="broker" password="{password}";
ssl.keystore.type=PEM
ssl.keystore.location=broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
# The broker itself, on the controller's own listener (loopback) and by its password on the other. Nobody else gets
# anything that is not granted.
super.users=User:ANONYMOUS;User:broker;User:admin
allow.everyone.if.no.acl.found=false
"""


@dataclass(frozen=True)
class User:
    """Who somebody is to the broker."""

    name: str
    password: str


class SecuredBroker:
    """A context manager. `users` can log in; what they may do is granted by `admin`, who may do everything."""

    def __init__(self, data: Path, users: tuple[User, ...]) -> None:
        self.admin = User("admin", "pw-of-admin")
        self._broker = User("broker", "between-brokers")
        self._users = (*users, self.admin, self._broker)
        self._folder = DataFolder(data)
        self._process: KafkaProcess | None = None
        self.port = free_port()
        self.ca_file = self._folder.path / "ca.pem"
        self.other_ca_file = self._folder.path / "other-ca.pem"
        """Of an authority that has not signed the broker's certificate."""

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def client(self, user: User, ca_file: Path | None = None) -> dict[str, Any]:
        """Settings of librdkafka for a user."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": MECHANISM,
            "sasl.username": user.name,
            "sasl.password": user.password,
            "ssl.ca.location": str(ca_file or self.ca_file),
        }

    def environment(self, user: User, ca_file: Path | None = None) -> dict[str, str]:
        """The same as environment variables of modstream."""
        return {
            "MODSTREAM_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "MODSTREAM_KAFKA__SECURITY__PROTOCOL": "sasl_ssl",
            "MODSTREAM_KAFKA__SECURITY__SASL_MECHANISM": MECHANISM,
            "MODSTREAM_KAFKA__SECURITY__USERNAME": user.name,
            "MODSTREAM_KAFKA__SECURITY__PASSWORD": user.password,
            "MODSTREAM_KAFKA__SECURITY__CA_FILE": str(ca_file or self.ca_file),
        }

    def __enter__(self) -> Self:
        runtime = prepare_runtime(lambda message: None)
        folder = self._folder
        folder.claim()
        self._certify()
        controller = free_port(besides=self.port)
        shared = (KAFKA_FOLDER / "server.properties").read_text(encoding="utf-8")
        own = _PROPERTIES.format(
            host=LOOPBACK, port=self.port, controller=controller, mechanism=MECHANISM, password=self._broker.password
        )
        folder.properties.write_text(shared + own, encoding="utf-8")
        try:
            self._format(runtime)
            self._process = KafkaProcess(runtime.command("kafka.Kafka", folder.properties.name), folder)
            self._wait_ready(self._process)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._folder.release()

    def _certify(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        trustme.CA().cert_pem.write_to_path(str(self.other_ca_file))
        issued = authority.issue_cert(LOOPBACK)
        # Java reads keys in PKCS #8 alone.
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        (self._folder.path / "broker.pem").write_bytes(pem + chain)

    def _format(self, runtime: Runtime) -> None:
        scram = [f"--add-scram={MECHANISM}=[name={user.name},password={user.password}]" for user in self._users]
        options = ("--standalone", "--cluster-id", new_cluster_id(), "--config", self._folder.properties.name, *scram)
        self._process = KafkaProcess(runtime.command("kafka.tools.StorageTool", "format", *options), self._folder)
        assert self._process.wait(START_TIMEOUT_S) == 0, self._folder.console.read_text()

    def _wait_ready(self, process: KafkaProcess) -> None:
        admin = AdminClient({**self.client(self.admin), "log_level": 0})
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            assert process.exit_code is None, self._folder.console.read_text()[-3000:]
            try:
                if admin.list_topics(timeout=1.0).brokers:
                    return
            except KafkaException:
                assert time.monotonic() < deadline, self._folder.server_log.read_text()[-3000:]
