"""One chain on a secured broker: its names, its grants, and what its users do as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,  # pyright: ignore[reportPrivateImportUsage]
    AclBindingFilter,  # pyright: ignore[reportPrivateImportUsage]
    AclOperation,  # pyright: ignore[reportPrivateImportUsage]
    AclPermissionType,  # pyright: ignore[reportPrivateImportUsage]
    AdminClient,
    ResourcePatternType,  # pyright: ignore[reportPrivateImportUsage]
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
)

from schemas import Stage
from streams.access import Grant, Kind
from streams.settings import Settings, load_settings
from streams.topology import STAGES, Topics
from tests.delivery.cluster import PATIENCE_S, Process
from tests.secured_kafka.secured_broker import SecuredBroker, User

RESOURCES = {
    Kind.TOPIC: ResourceType.TOPIC,
    Kind.GROUP: ResourceType.GROUP,
    Kind.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
}
SERVERS = "MODSTREAM_KAFKA__BOOTSTRAP_SERVERS"
ROOT = Path(__file__).resolve().parents[2]
ALL = (*STAGES, Stage.RETRY)


class Chain:
    """One chain on the secured broker: its names, and what its users do as processes of their own."""

    def __init__(self, broker: SecuredBroker, prefix: str, folder: Path) -> None:
        self.broker, self.prefix, self.folder = broker, prefix, folder
        self._admin = AdminClient(broker.client(broker.admin))
        self.processes: list[Process] = []

    def environment(
        self, user: User | None, ca_file: Path | None = None, extra: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("MODSTREAM_")},
            **({SERVERS: self.broker.bootstrap_servers} if user is None else self.broker.environment(user, ca_file)),
            "MODSTREAM_TOPICS__PARTITIONS": "2",
            "MODSTREAM_TOPICS__PREFIX": self.prefix,
            "MODSTREAM_GROUP": self.prefix.rstrip("."),
            "MODSTREAM_INSTANCE": "one",
            "MODSTREAM_STATE_DIR": str(self.folder / "state"),
            "MODSTREAM_STORE__URL": str(self.folder / "store"),
            "MODSTREAM_WORKER__CPU_THREADS": "1",
            **(extra or {}),
        }

    @property
    def settings(self) -> Settings:
        return self.settings_of()

    def settings_of(self, extra: Mapping[str, str] | None = None) -> Settings:
        """What the environment of this chain's processes says."""
        return load_settings(None, self.environment(self.broker.admin, extra=extra), {}).settings

    @property
    def topics(self) -> Topics:
        return Topics(self.prefix)

    def grant(self, user: User, grants: Iterable[Grant]) -> None:
        """Allow exactly these, from any host."""
        bindings = [
            AclBinding(
                RESOURCES[grant.kind],
                grant.name,
                ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
                f"User:{user.name}",
                "*",
                operation,
                AclPermissionType.ALLOW,
            )
            for grant in grants
            for operation in grant.operations
        ]
        for future in self._admin.create_acls(bindings).values():
            future.result()

    def revoke_all(self) -> None:
        anything: Any = None  # the stubs want texts, the client takes None for any
        everything = AclBindingFilter(
            ResourceType.ANY,
            anything,
            ResourcePatternType.ANY,
            anything,
            anything,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        for future in self._admin.delete_acls([everything]).values():
            future.result()

    def run(
        self, user: User | None, *arguments: str, ca_file: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """A command of modstream, to its end; user None: without TLS or password."""
        return subprocess.run(
            [sys.executable, "-m", "commands", *arguments],
            env=self.environment(user, ca_file),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            cwd=ROOT,
            check=False,
        )

    def worker(self, user: User, stages: Iterable[Stage] = ALL, extra: Mapping[str, str] | None = None) -> Process:
        """A worker process with the light chain."""
        return self.process(user, "tests.delivery.segment", *(stage.value for stage in stages), extra=extra)

    def process(self, user: User, module: str, *arguments: str, extra: Mapping[str, str] | None = None) -> Process:
        """A module that runs until the end of the test."""
        log = self.folder / f"process-{len(self.processes)}.log"
        with log.open("w") as stderr:
            popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self.environment(user, extra=extra),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=ROOT,
            )
        self.processes.append(Process(popen, log))
        return self.processes[-1]

    def close(self) -> None:
        self.revoke_all()
        for process in self.processes:
            if process.popen.poll() is None:
                process.kill()
            if process.popen.stdout is not None:
                process.popen.stdout.close()
