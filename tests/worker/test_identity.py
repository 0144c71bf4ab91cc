"""Each process has a name that no other live process of its host has."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.worker import identity
from streams.worker.identity import IdentityTaken, Instance, claim_instance


class Claims:
    """Claims names in one folder; each claim is a file lock of its own, as another process's would be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: list[Instance] = []

    def __call__(self, configured: str | None = None, **environ: str) -> Instance:
        instance = claim_instance(configured, self.folder, environ)
        self.held.append(instance)
        return instance


@pytest.fixture
def claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Claims]:
    monkeypatch.setattr(socket, "gethostname", lambda: "host")
    claims = Claims(tmp_path / "not" / "there" / "yet")
    yield claims
    for instance in claims.held:
        instance.release()


def test_without_a_name_the_lowest_free_slot_of_the_host_is_taken(claim: Claims) -> None:
    assert [claim().name for _ in range(3)] == ["host-0", "host-1", "host-2"]


def test_a_slot_is_free_again_when_its_holder_is_gone(claim: Claims) -> None:
    first, _ = claim(), claim()
    claim.held.remove(first)
    first.release()
    assert claim().name == "host-0"


def test_a_configured_name_comes_before_all_others(claim: Claims) -> None:
    assert claim("eu-1", POD_NAME="pod-7").name == "eu-1"


def test_a_pods_name_comes_before_the_hosts(claim: Claims) -> None:
    assert claim(POD_NAME="pod-7").name == "pod-7"


def test_in_kubernetes_the_hosts_name_is_the_pods(claim: Claims) -> None:
    assert claim(HOSTNAME="pod-8", KUBERNETES_SERVICE_HOST="10.0.0.1").name == "pod-8"
    assert claim(HOSTNAME="laptop").name == "host-0"


def test_a_name_in_use_is_refused_with_what_to_do(claim: Claims) -> None:
    claim("eu-1")
    with pytest.raises(IdentityTaken, match=r"'eu-1' is in use by another process .* MODSTREAM_INSTANCE"):
        claim("eu-1")


def test_a_host_without_a_free_slot_says_so(claim: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "MAX_SLOTS", 2)
    claim()
    claim()
    with pytest.raises(IdentityTaken, match="all 2 worker slots"):
        claim()


def test_a_name_cannot_leave_its_folder(claim: Claims) -> None:
    instance = claim(POD_NAME="../../etc/passwd")
    assert instance.name == "..-..-etc-passwd"
    assert [path.name for path in claim.folder.iterdir()] == ["..-..-etc-passwd.lock"]


def test_the_transactional_id_is_the_group_and_the_instance(claim: Claims) -> None:
    assert claim("eu-1").transactional_id("modstream") == "modstream:eu-1"
