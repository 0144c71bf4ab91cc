from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streams.broker.errors import BrokerError
from streams.broker.jars import LockedJar, cache_folder, kafka_version, locked_jars, provide_jars


def jar(name: str, content: bytes) -> LockedJar:
    return LockedJar(group="org.example", artifact=name, version="1.0", sha256=hashlib.sha256(content).hexdigest())


CONTENTS = {name: f"content of {name}".encode() for name in ("a", "b", "c")}
JARS = tuple(jar(name, content) for name, content in CONTENTS.items())


class Repository:
    """A repository that counts, and whose content tests can spoil."""

    def __init__(self) -> None:
        self.contents = dict(CONTENTS)
        self.fetched: list[str] = []

    def fetch(self, wanted: LockedJar, scratch: Path) -> Path:
        self.fetched.append(wanted.artifact)
        file = scratch / "some-name.jar"
        file.write_bytes(self.contents[wanted.artifact])
        return file


def unreachable(wanted: LockedJar, scratch: Path) -> Path:
    raise BrokerError(f"{wanted} cannot be fetched")


def silent(message: str) -> None:
    del message


def test_missing_jars_are_fetched_in_the_order_of_the_class_path(tmp_path: Path) -> None:
    repository = Repository()
    paths = provide_jars(JARS, tmp_path / "new" / "cache", repository.fetch, silent)
    assert [path.name for path in paths] == ["a-1.0.jar", "b-1.0.jar", "c-1.0.jar"]
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())


def test_intact_jars_need_neither_the_network_nor_a_writable_cache(tmp_path: Path) -> None:
    provide_jars(JARS, tmp_path, Repository().fetch, silent)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    said: list[str] = []
    provide_jars(JARS, tmp_path, unreachable, said.append)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert said == []


def test_a_damaged_jar_and_no_other_is_fetched_again(tmp_path: Path) -> None:
    provide_jars(JARS, tmp_path, Repository().fetch, silent)
    (tmp_path / "b-1.0.jar").write_bytes(b"content of")
    repository = Repository()
    provide_jars(JARS, tmp_path, repository.fetch, silent)
    assert repository.fetched == ["b"]
    assert (tmp_path / "b-1.0.jar").read_bytes() == CONTENTS["b"]


def test_a_damaged_jar_that_cannot_be_fetched_is_refused_by_name(tmp_path: Path) -> None:
    provide_jars(JARS, tmp_path, Repository().fetch, silent)
    (tmp_path / "b-1.0.jar").write_bytes(b"content of")
    with pytest.raises(BrokerError, match=r"org\.example:b:1\.0 cannot be fetched"):
        provide_jars(JARS, tmp_path, unreachable, silent)


def test_a_repository_that_serves_something_else_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    repository = Repository()
    repository.contents["c"] = b"malware"
    with pytest.raises(BrokerError, match=re.escape(JARS[2].sha256)):
        provide_jars(JARS, tmp_path, repository.fetch, silent)
    assert not (tmp_path / "c-1.0.jar").exists()
    assert not list(tmp_path.glob(".fetch-*"))


def test_processes_that_start_together_fetch_each_jar_once(tmp_path: Path) -> None:
    repository = Repository()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: provide_jars(JARS, tmp_path, repository.fetch, silent), range(8)))
    assert sorted(repository.fetched) == ["a", "b", "c"]
    assert all(path.is_file() for paths in results for path in paths)


def test_what_a_killed_fetch_left_behind_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".fetch-killed").mkdir()
    (tmp_path / ".fetch-killed" / "half.jar").write_bytes(b"half")
    provide_jars(JARS, tmp_path, Repository().fetch, silent)
    assert not (tmp_path / ".fetch-killed").exists()


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(BrokerError, match=rf"{re.escape(str(blocked / 'kafka'))}.*MODSTREAM_CACHE_DIR"):
        provide_jars(JARS, blocked / "kafka", Repository().fetch, silent)


def test_the_cache_is_the_users_own_and_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder({}) == tmp_path / ".cache" / "modstream" / "kafka"
    assert cache_folder({"XDG_CACHE_HOME": "/xdg"}) == Path("/xdg/modstream/kafka")
    assert cache_folder({"XDG_CACHE_HOME": "/xdg", "MODSTREAM_CACHE_DIR": "/own"}) == Path("/own/kafka")


def test_the_lock_file_pins_one_kafka_with_every_checksum() -> None:
    """jgo lets the parent of one coordinate manage the versions of another: a lock with mixed Kafkas was seen."""
    jars = locked_jars()
    assert kafka_version(jars).startswith("4.3.")
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {kafka_version(jars)}
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars)
