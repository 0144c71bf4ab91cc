from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest

from processors.media.layout import object_key
from processors.media.pictures import PictureReader
from processors.media.store import MediaDamaged, MediaMissing, MediaStore, StoreAway, StoreError

T = TypeVar("T")

DATA = b"a picture's bytes"
SHA256 = hashlib.sha256(DATA).hexdigest()


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store"


@pytest.fixture
def store(folder: Path) -> MediaStore:
    return MediaStore.open(str(folder))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def object_file(folder: Path, sha256: str = SHA256, tenant: str = "acme") -> Path:
    return folder / object_key(tenant, sha256).path


def test_what_is_put_is_read_back_by_its_sha256(store: MediaStore) -> None:
    address = run(store.put("acme", "p-1", DATA))
    assert address == SHA256
    assert run(store.read("acme", address)) == DATA
    assert store.get("acme", address) == DATA


def test_the_folder_is_made_when_it_is_first_used(folder: Path, store: MediaStore) -> None:
    assert not folder.exists()
    run(store.put("acme", "p-1", DATA))
    assert object_file(folder).read_bytes() == DATA


def test_an_object_is_written_once(folder: Path, store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    first = object_file(folder).stat()
    run(store.put("acme", "p-2", DATA))
    again = object_file(folder).stat()
    assert (first.st_ino, first.st_mtime_ns) == (again.st_ino, again.st_mtime_ns)


def test_names_of_tenants_and_posts_are_never_part_of_a_path(folder: Path, store: MediaStore) -> None:
    run(store.put("../../tenant", "../../../post", DATA))
    assert store.get("../../tenant", SHA256) == DATA
    assert not any("tenant" in name or "post/" in name for name in files(folder))
    assert {path.name for path in folder.iterdir()} == {"objects", "posts", "refs"}
    assert run(store.forget("../../../post")) == 1


@pytest.mark.parametrize("address", ["../../etc/passwd", "", SHA256.upper(), SHA256 + "\n", SHA256[:-1]])
def test_what_is_no_sha256_is_no_address(store: MediaStore, address: str) -> None:
    run(store.put("acme", "p-1", DATA))
    with pytest.raises(ValueError, match="64 digits"):
        store.get("acme", address)


def test_a_tenant_does_not_see_the_objects_of_another(store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    with pytest.raises(MediaMissing):
        store.get("other", SHA256)


def test_a_damaged_object_is_not_handed_out(folder: Path, store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    object_file(folder).write_bytes(DATA.swapcase())
    with pytest.raises(MediaDamaged, match="damaged"):
        store.get("acme", SHA256)


def test_an_object_that_was_cut_off_is_written_again(folder: Path, store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    object_file(folder).write_bytes(b"")
    run(store.put("acme", "p-1", DATA))
    assert store.get("acme", SHA256) == DATA


def test_a_damaged_object_heals_with_the_next_post_that_brings_its_bytes(folder: Path, store: MediaStore) -> None:
    """Of the right size: only a comparison of the bytes finds it."""
    run(store.put("acme", "p-1", DATA))
    object_file(folder).write_bytes(DATA.swapcase())
    run(store.put("acme", "p-2", DATA))
    assert store.get("acme", SHA256) == DATA


def test_forgetting_a_post_removes_its_objects_and_leaves_nothing(folder: Path, store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    run(store.put("acme", "p-1", b"its frame"))
    assert run(store.forget("p-1")) == 2
    assert files(folder) == set()
    assert not any(path.name == SHA256 or path.parent.name == "posts" for path in folder.rglob("*"))
    with pytest.raises(MediaMissing):
        store.get("acme", SHA256)


def test_an_object_goes_with_the_last_post_that_needs_it(folder: Path, store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    run(store.put("acme", "p-2", DATA))
    assert run(store.forget("p-1")) == 0
    assert store.get("acme", SHA256) == DATA
    assert run(store.forget("p-2")) == 1
    assert files(folder) == set()


def test_forgetting_an_unknown_post_is_no_fault(store: MediaStore) -> None:
    assert run(store.forget("never seen")) == 0


def test_forgetting_a_post_spares_another_tenants_same_bytes(store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    run(store.put("other", "p-2", DATA))
    assert run(store.forget("p-1")) == 1
    assert store.get("other", SHA256) == DATA


def test_a_write_that_was_cut_off_leaves_only_markers_and_forgetting_takes_them(
    folder: Path, store: MediaStore
) -> None:
    run(store.put("acme", "p-1", DATA))
    object_file(folder).unlink()  # as if the process had died between marker and object
    assert run(store.forget("p-1")) == 0
    assert files(folder) == set()


def test_a_forgetting_that_was_cut_off_is_finished_by_the_next(folder: Path, store: MediaStore) -> None:
    run(store.put("acme", "p-1", DATA))
    for marker in (folder / "refs").rglob("*.*"):
        marker.unlink()
    assert run(store.forget("p-1")) == 1
    assert files(folder) == set()


def test_whoever_puts_an_object_while_others_forget_it_finds_it_in_the_end(folder: Path, store: MediaStore) -> None:
    """Many posts come and go at once, all with the same picture; those that stay have it."""

    async def come_and_go() -> None:
        async def one(number: int) -> None:
            post = f"p-{number}"
            for _ in range(6):
                await store.put("acme", post, DATA)
                await store.forget(post)
            if number % 8 == 0:
                await store.put("acme", post, DATA)

        await asyncio.gather(*(one(number) for number in range(16)))
        assert await store.read("acme", SHA256) == DATA
        await asyncio.gather(*(store.forget(f"p-{number}") for number in range(16)))

    run(come_and_go())
    assert files(folder) == set()


def test_a_store_may_be_read_from_many_threads(store: MediaStore) -> None:
    addresses = [run(store.put("acme", "p-1", bytes([number]) * 100_000)) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda at: store.get("acme", addresses[at % 8])[0], range(200)))
    assert read == [number % 8 for number in range(200)]


def test_a_process_ends_well_right_after_its_last_write(tmp_path: Path) -> None:
    program = (
        "import asyncio\n"
        "from processors.media.store import MediaStore\n"
        f"store = MediaStore.open({str(tmp_path)!r})\n"
        "async def main():\n"
        "    await asyncio.gather(*(store.put('acme', 'p', bytes([n])) for n in range(50)))\n"
        "asyncio.run(main())\n"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("url", ["ftp://host/x", "https://host/x", "file://elsewhere/x", "s3://", "az://box/x"])
def test_an_address_of_no_store_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreError, match="store "):
        MediaStore.open(url)


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="found a file"):
        MediaStore.open(str(tmp_path / "taken"))


def test_file_addresses_name_folders(tmp_path: Path) -> None:
    store = MediaStore.open(f"file://{tmp_path}/with%20blank")
    run(store.put("acme", "p-1", DATA))
    assert object_file(tmp_path / "with blank").read_bytes() == DATA


def test_a_store_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    store = MediaStore.open(str(tmp_path / "store"))
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(StoreAway, match="media store"):
        run(store.put("acme", "p-1", DATA))


def test_pictures_are_read_as_rgb(store: MediaStore) -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[..., 0] = 200
    pixels[0, 0] = (1, 2, 3)
    png = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    address = run(store.put("acme", "p-1", png))
    read = PictureReader(store).read("acme", address)
    assert read.dtype == np.uint8
    assert np.array_equal(read, pixels)


def test_an_object_that_is_no_picture_is_damaged(store: MediaStore) -> None:
    address = run(store.put("acme", "p-1", DATA))
    with pytest.raises(MediaDamaged, match="no picture"):
        PictureReader(store).read("acme", address)
