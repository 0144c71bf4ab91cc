"""Writers and removals that meet at the worst moment, in a folder and in a bucket."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from processors.media.backend import Backend, Entry
from processors.media.layout import object_key
from processors.media.references import References
from processors.media.store import MediaMissing, MediaStore, StoreAway, Swept
from tests.media.bucket import Bucket, running_bucket

DATA = b"a picture's bytes"
SHA256 = hashlib.sha256(DATA).hexdigest()
Act = Callable[[], None]


class Interrupted(Backend):
    """Does something else, once, just before or after a removal's decisive step."""

    before_rename: Act | None = None
    after_rename: Act | None = None
    before_delete: Act | None = None

    def rename(self, path: str, to: str) -> bool:
        self._do("before_rename")
        found = super().rename(path, to)
        self._do("after_rename")
        return found

    def delete(self, path: str) -> bool:
        if path.startswith("graves/"):
            self._do("before_delete")
        return super().delete(path)

    def _do(self, name: str) -> None:
        act: Act | None = getattr(self, name)
        setattr(self, name, None)
        if act is not None:
            act()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Generator[Bucket]:
    with running_bucket() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture(params=["folder", "bucket"])
def backend(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> Interrupted:
    return Interrupted.at(str(tmp_path) if request.param == "folder" else "s3://media/some/folder")


@pytest.fixture
def store(backend: Interrupted) -> MediaStore:
    return MediaStore(backend)


def put(store: MediaStore, post: str) -> None:
    asyncio.run(store.put("acme", post, DATA))


def all_entries(backend: Backend) -> list[Entry]:
    return [entry for folder in ("objects", "refs", "posts", "graves") for entry in backend.list(folder)]


def elsewhere(act: Callable[[], object]) -> Act:
    """On another thread, as another worker does it; here an event loop is running already."""

    def run() -> None:
        thread = threading.Thread(target=act)
        thread.start()
        thread.join()

    return run


@pytest.mark.parametrize("moment", ["before_rename", "after_rename", "before_delete"])
def test_an_object_that_is_put_while_its_last_post_is_forgotten_is_there(
    backend: Interrupted, store: MediaStore, moment: str
) -> None:
    put(store, "p-1")
    setattr(backend, moment, elsewhere(lambda: put(store, "p-2")))
    asyncio.run(store.forget("p-1"))
    assert store.get("acme", SHA256) == DATA
    assert asyncio.run(store.forget("p-2")) == 1
    assert all_entries(backend) == []


@pytest.mark.parametrize("moment", ["before_rename", "after_rename", "before_delete"])
def test_an_object_that_is_put_while_it_is_swept_is_there(backend: Interrupted, store: MediaStore, moment: str) -> None:
    put(store, "p-1")
    setattr(backend, moment, elsewhere(lambda: put(store, "p-2")))
    swept = asyncio.run(store.sweep(0, 4e9))
    assert store.get("acme", SHA256) == DATA
    assert swept.references == 1
    assert asyncio.run(store.forget("p-2")) == 1
    assert all_entries(backend) == []


@pytest.mark.parametrize("moment", ["before_rename", "after_rename", "before_delete"])
def test_two_removals_of_one_object_remove_it(backend: Interrupted, store: MediaStore, moment: str) -> None:
    put(store, "p-1")
    put(store, "p-2")
    asyncio.run(store.forget("p-2"))
    setattr(backend, moment, elsewhere(lambda: asyncio.run(store.forget("p-1"))))
    asyncio.run(store.forget("p-1"))
    with pytest.raises(MediaMissing):
        store.get("acme", SHA256)
    assert all_entries(backend) == []


def test_two_removals_never_take_each_others_copy(tmp_path: Path) -> None:
    """A removal is held up just before its end; another moves away what a new post has written meanwhile."""
    held, moved = threading.Event(), threading.Event()
    first, second = Interrupted.at(str(tmp_path)), Interrupted.at(str(tmp_path))
    store, key = MediaStore(second), object_key("acme", SHA256)
    put(store, "p-1")
    thread = threading.Thread(target=References(first).retire, args=(key,))

    def hold() -> None:
        held.set()
        moved.wait(60)

    def meet() -> None:
        thread.start()
        held.wait(60)
        elsewhere(lambda: put(store, "p-2"))()

    def go_on() -> None:
        moved.set()
        thread.join()

    first.before_delete, second.before_rename, second.after_rename = hold, meet, go_on
    asyncio.run(store.forget("p-1"))
    assert store.get("acme", SHA256) == DATA


def test_a_bucket_holds_objects_as_a_folder_does(backend: Interrupted, store: MediaStore) -> None:
    put(store, "p-1")
    put(store, "p-2")
    assert store.get("acme", SHA256) == DATA
    assert asyncio.run(store.forget("p-1")) == 0
    assert asyncio.run(store.sweep(0, 4e9)) == Swept(objects=1, bytes=len(DATA), references=1)
    assert all_entries(backend) == []


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_bucket_that_answers_with_an_error_is_away(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("processors.media.backend.TRIES_FOR_S", 0.2)
    store = MediaStore.open("s3://media/some/folder")
    bucket.status = status
    for call in (lambda: put(store, "p-1"), lambda: store.get("acme", SHA256), lambda: asyncio.run(store.forget("p"))):
        with pytest.raises(StoreAway, match="s3://media/some/folder") as caught:
            call()
        assert "very-secret" not in str(caught.value)
        assert "\n" not in str(caught.value)
