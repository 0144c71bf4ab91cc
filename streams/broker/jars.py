"""Kafka's jars: which ones (the lock file), where they are kept (a cache per user) and that they are the right ones."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.broker.errors import BrokerError

# Beside the packages, in a clone and in an installed wheel alike.
KAFKA_FOLDER = Path(__file__).resolve().parents[2] / "infra" / "kafka"
LOCK_FILE = KAFKA_FOLDER / "jgo.lock.toml"
# Each jar is its own small request: a few at a time hide the waiting, and are polite to the server.
PARALLEL_FETCHES = 4
PROGRESS_EVERY = 10
# Folders of fetches under way; what is left of one that was killed is removed by the next.
SCRATCH_PREFIX = ".fetch-"

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedJar:
    """One jar as the lock file has it; `sha256` is lower-case hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


# Gets one jar: fetch(jar, an empty folder) -> the file, which lies in that folder. Raises BrokerError.
Fetch = Callable[[LockedJar, Path], Path]


def locked_jars(lock_file: Path = LOCK_FILE) -> tuple[LockedJar, ...]:
    """The jars of jgo's lock file, in its order, which is that of the class path."""
    lock = tomllib.loads(lock_file.read_text(encoding="utf-8"))
    return tuple(
        LockedJar(
            group=entry["groupId"], artifact=entry["artifactId"], version=entry["version"], sha256=entry["sha256"]
        )
        for entry in lock["dependencies"]
    )


def kafka_version(jars: Sequence[LockedJar]) -> str:
    """The version of Apache Kafka among `jars`."""
    return next(jar.version for jar in jars if jar.group == "org.apache.kafka" and jar.artifact.startswith("kafka_"))


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where jars are kept: under MODSTREAM_CACHE_DIR, else under the XDG cache folder of the user.

    One folder holds the jars of every version: the names of jars hold theirs.
    """
    if own := environment.get("MODSTREAM_CACHE_DIR"):
        return Path(own).absolute() / "kafka"
    xdg = environment.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache").absolute() / "modstream" / "kafka"


def provide_jars(jars: Sequence[LockedJar], folder: Path, fetch: Fetch, progress: Progress) -> list[Path]:
    """Paths of all `jars` in `folder`, in order, each one with the content that its sha256 names.

    Missing and damaged ones are fetched; where there are none, nothing is written and nothing leaves this machine.

    Raises:
        BrokerError: `folder` cannot be written, or a jar cannot be had.
    """
    try:
        if _not_intact(jars, folder):
            folder.mkdir(parents=True, exist_ok=True)
            with _only_one_at_a_time(folder, progress):
                # Another process may have fetched them while this one waited.
                if missing := _not_intact(jars, folder):
                    _fetch_all(missing, folder, fetch, progress)
    except OSError as error:
        raise BrokerError(
            f"Kafka's jars cannot be kept in {folder} ({error.strerror}): make it writable, or set "
            "MODSTREAM_CACHE_DIR to a folder that is"
        ) from error
    return [folder / jar.file_name for jar in jars]


def _not_intact(jars: Sequence[LockedJar], folder: Path) -> list[LockedJar]:
    return [jar for jar in jars if _sha256(folder / jar.file_name) != jar.sha256]


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@contextmanager
def _only_one_at_a_time(folder: Path, progress: Progress) -> Generator[None]:
    """Hold the lock of the cache, which the system frees when its holder ends, however it ends."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"Another process is fetching Kafka's jars into {folder}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for remains in folder.glob(f"{SCRATCH_PREFIX}*"):
            shutil.rmtree(remains, ignore_errors=True)
        yield


def _fetch_all(jars: Sequence[LockedJar], folder: Path, fetch: Fetch, progress: Progress) -> None:
    progress(f"Fetching Apache Kafka, once, into {folder} (jars missing: {len(jars)})")

    def fetch_one(jar: LockedJar) -> None:
        with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=folder) as scratch:
            fetched = fetch(jar, Path(scratch))
            found = _sha256(fetched)
            if found != jar.sha256:
                raise BrokerError(
                    f"{jar} was fetched with sha256 {found}, but {LOCK_FILE.name} expects {jar.sha256}: the repository "
                    "that it came from serves another file under this name"
                )
            # In one step, so that no process ever sees half a jar.
            fetched.replace(folder / jar.file_name)

    with ThreadPoolExecutor(PARALLEL_FETCHES, thread_name_prefix="fetch-jar") as pool:
        try:
            for number, _ in enumerate(pool.map(fetch_one, jars), start=1):
                if number % PROGRESS_EVERY == 0:
                    progress(f"{number} of {len(jars)} jars are there")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
