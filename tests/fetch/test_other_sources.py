"""Fetching from files, buckets, the post itself and the media store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from processors.fetch.cloud_source import CloudAddress, CloudPlaces
from processors.fetch.faults import RemoteFault, Unfetchable
from processors.fetch.options import FetchOptions
from processors.fetch.sources import Sources
from processors.media.store import MediaStore
from schemas import Media
from tests.media.bucket import Bucket, running_bucket

BODY = b"\x89PNG and so on"
OPTIONS = FetchOptions()


def fetch(store: MediaStore, media: Media, options: FetchOptions = OPTIONS, tenant: str = "acme") -> bytes:
    async def work() -> bytes:
        clouds = CloudPlaces(options.cloud_prefixes, options.fetch_timeout_s)
        async with Sources.opened(options, store, clouds) as sources, asyncio.timeout(30):
            return await sources.read(media, tenant)

    return asyncio.run(work())


def at(uri: str) -> Media:
    return Media(media_id="m-1", kind="image", uri=uri)


def inline(data: bytes) -> Media:
    return Media(media_id="m-1", kind="image", data=data)


# The post itself.


def test_media_in_the_post_are_taken_as_they_are(store: MediaStore) -> None:
    assert fetch(store, inline(BODY)) == BODY


def test_media_in_the_post_have_a_limit_that_is_named(store: MediaStore) -> None:
    options = replace(OPTIONS, max_inline_bytes=4)
    assert fetch(store, inline(b"1234"), options) == b"1234"
    with pytest.raises(Unfetchable, match=r"5 bytes, more than 4 \(media.max_inline_bytes\)"):
        fetch(store, inline(b"12345"), options)


# The store.


def test_what_the_store_has_is_taken_from_it(store: MediaStore) -> None:
    address = asyncio.run(store.put("acme", "p-1", BODY))
    assert fetch(store, at(f"store:{address}")) == BODY


def test_what_another_tenant_stored_is_not_there(store: MediaStore) -> None:
    address = asyncio.run(store.put("other", "p-1", BODY))
    with pytest.raises(Unfetchable, match="not in the media store of this tenant"):
        fetch(store, at(f"store:{address}"))


@pytest.mark.parametrize("uri", ["store:x", "store:../../x", "store://" + "a" * 64, "store:" + "A" * 64])
def test_store_addresses_are_sha256s(store: MediaStore, uri: str) -> None:
    with pytest.raises(Unfetchable, match="64 digits"):
        fetch(store, at(uri))


# Files.


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "a.png").write_bytes(BODY)
    (folder / "with blank.png").write_bytes(BODY)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "root-sibling").mkdir()
    (tmp_path / "root-sibling" / "x.png").write_bytes(b"secret")
    return folder


def files(root: Path) -> FetchOptions:
    return replace(OPTIONS, file_roots=(root.parent / "no such folder", root))


def test_files_below_a_root_are_read(store: MediaStore, root: Path) -> None:
    assert fetch(store, at(f"file://{root}/in/a.png"), files(root)) == BODY
    assert fetch(store, at(f"file://localhost{root}/with%20blank.png"), files(root)) == BODY
    assert fetch(store, at(f"file://{root}/in/../in/a.png"), files(root)) == BODY


def test_a_path_that_is_not_absolute_lies_below_the_first_root_that_has_it(store: MediaStore, root: Path) -> None:
    assert fetch(store, at("file:in/a.png"), files(root)) == BODY
    assert fetch(store, at("file:with%20blank.png"), files(root)) == BODY


@pytest.mark.parametrize("path", ["no.png", "../secret.png", "in/../../secret.png", "out/secret.png"])
def test_a_path_that_is_not_absolute_leads_nowhere_else(store: MediaStore, root: Path, path: str) -> None:
    (root.parent / "secret.png").write_bytes(b"secret")
    (root / "out").symlink_to(root.parent)
    with pytest.raises(Unfetchable, match=r"media\.file_roots"):
        fetch(store, at(f"file:{path}"), files(root))


def test_no_file_is_read_without_a_root(store: MediaStore, root: Path) -> None:
    with pytest.raises(Unfetchable, match=r"media\.file_roots"):
        fetch(store, at(f"file://{root}/in/a.png"))


@pytest.mark.parametrize(
    "path",
    [
        "{root}/../secret.png",
        "{root}/in/../../secret.png",
        "{root}/%2e%2e/secret.png",
        "{root}-sibling/x.png",
        "{root}/link.png",
        "{root}/folder/secret.png",
        "{root}/chain",
        "{root}/circle",
        "/etc/passwd",
        "/proc/self/environ",
        "{root}/in/a.png%00.jpg",
        "{root}/../no-such-file",
    ],
)
def test_nothing_outside_the_roots_is_read_nor_told_of(store: MediaStore, root: Path, path: str) -> None:
    (root / "link.png").symlink_to(root.parent / "secret.png")
    (root / "folder").symlink_to(root.parent)
    (root / "chain").symlink_to(root / "link.png")
    (root / "circle").symlink_to(root / "circle")
    with pytest.raises(Unfetchable) as caught:
        fetch(store, at("file://" + path.format(root=root)), files(root))
    assert str(caught.value) in (
        "its file is not below a folder of media.file_roots",
        "its file is not there",  # a circle of links leads nowhere
    )


def test_links_that_stay_inside_are_followed(store: MediaStore, root: Path) -> None:
    (root / "link.png").symlink_to(root / "in" / "a.png")
    assert fetch(store, at(f"file://{root}/link.png"), files(root)) == BODY


def test_a_root_that_is_a_link_is_a_root(store: MediaStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert fetch(store, at(f"file://{tmp_path}/alias/in/a.png"), files(tmp_path / "alias")) == BODY


def test_a_folder_that_becomes_a_link_after_the_check_is_not_followed(
    store: MediaStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = Path.resolve

    def resolve_then_swap(self: Path, strict: bool = False) -> Path:
        found = resolve(self, strict)
        if self.name == "a.png" and not (root / "in").is_symlink():
            (root / "in").rename(root / "gone")
            (root.parent / "a.png").write_bytes(b"secret")
            (root / "in").symlink_to(root.parent)
        return found

    monkeypatch.setattr(Path, "resolve", resolve_then_swap)
    with pytest.raises(Unfetchable, match="not there"):
        fetch(store, at(f"file://{root}/in/a.png"), files(root))


def test_only_regular_files_are_read(store: MediaStore, root: Path) -> None:
    os.mkfifo(root / "pipe")
    for name in ("pipe", "in", "."):
        with pytest.raises(Unfetchable, match="regular file"):
            fetch(store, at(f"file://{root}/{name}"), files(root))


def test_files_have_the_limit_of_all_media(store: MediaStore, root: Path) -> None:
    options = replace(files(root), max_bytes=len(BODY))
    assert fetch(store, at(f"file://{root}/in/a.png"), options) == BODY
    with pytest.raises(Unfetchable, match=r"media\.max_bytes"):
        fetch(store, at(f"file://{root}/in/a.png"), replace(options, max_bytes=len(BODY) - 1))


def test_an_endless_file_ends_at_the_limit(store: MediaStore) -> None:
    with pytest.raises(Unfetchable, match="regular file"):
        fetch(store, at("file:///dev/zero"), replace(OPTIONS, file_roots=(Path("/dev"),)))


def test_a_missing_file_and_an_empty_one_are_said_to_be_so(store: MediaStore, root: Path) -> None:
    (root / "empty").touch()
    with pytest.raises(Unfetchable, match="its file is not there"):
        fetch(store, at(f"file://{root}/no.png"), files(root))
    with pytest.raises(Unfetchable, match="it is empty"):
        fetch(store, at(f"file://{root}/empty"), files(root))


@pytest.mark.parametrize("uri", ["file://host/x", "file:", "file:///x?y", "file:///x#y", "file://../x"])
def test_addresses_that_are_no_files_are_refused(store: MediaStore, root: Path, uri: str) -> None:
    with pytest.raises(Unfetchable, match="not a file's"):
        fetch(store, at(uri), files(root))


@pytest.mark.parametrize("uri", ["file://[", "file://]", "file://a[b]", "file://\u2100", "file://[x/a.jpg"])
def test_addresses_that_cannot_be_taken_apart_are_refused(store: MediaStore, root: Path, uri: str) -> None:
    with pytest.raises(Unfetchable, match="its address is not valid"):
        fetch(store, at(uri), files(root))


# Buckets.


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Generator[Bucket]:
    with running_bucket() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


CLOUD = replace(OPTIONS, cloud_prefixes=("s3://media/posts/",), fetch_timeout_s=2.0)


def test_objects_below_a_prefix_are_read(store: MediaStore, bucket: Bucket) -> None:
    bucket.objects["/media/posts/2026/a b%2e?.png"] = BODY
    assert fetch(store, at("s3://media/posts/2026/a b%2e?.png"), CLOUD) == BODY


@pytest.mark.parametrize(
    "uri",
    [
        "s3://media/other/a.png",
        "s3://media/posts-private/a.png",
        "s3://media/posts",
        "s3://media",
        "s3://other/posts/a.png",
        "s3://media/Posts/a.png",
        "gs://media/posts/a.png",
    ],
)
def test_objects_elsewhere_are_not_asked_for(store: MediaStore, bucket: Bucket, uri: str) -> None:
    with pytest.raises(Unfetchable, match=r"not below one of media\.cloud_prefixes"):
        fetch(store, at(uri), CLOUD)
    assert bucket.asked == []


@pytest.mark.parametrize(
    "uri",
    [
        "s3://media/posts/../other/a",
        "s3://media/posts/./a",
        "s3://media/posts//a",
        "s3://media/",
        "s3:///posts/a",
        "s3:x",
        "s3://",
    ],
)
def test_addresses_that_could_mean_another_are_refused(store: MediaStore, bucket: Bucket, uri: str) -> None:
    with pytest.raises(Unfetchable, match="its address is not valid"):
        fetch(store, at(uri), CLOUD)
    assert bucket.asked == []


def test_no_bucket_is_read_without_a_prefix(store: MediaStore) -> None:
    with pytest.raises(Unfetchable, match=r"media\.cloud_prefixes"):
        fetch(store, at("s3://media/posts/a.png"))


def test_a_missing_object_is_final_and_a_failing_bucket_is_not(store: MediaStore, bucket: Bucket) -> None:
    with pytest.raises(Unfetchable, match="it is not in s3://media"):
        fetch(store, at("s3://media/posts/no.png"), CLOUD)
    bucket.status = 403
    with pytest.raises(Unfetchable, match="does not let us read it"):
        fetch(store, at("s3://media/posts/no.png"), CLOUD)
    bucket.status = 500
    with pytest.raises(RemoteFault, match="s3://media cannot be read from") as caught:
        fetch(store, at("s3://media/posts/no.png"), CLOUD)
    assert "127.0.0.1" not in str(caught.value)


def test_objects_have_the_limit_of_all_media(store: MediaStore, bucket: Bucket) -> None:
    bucket.objects["/media/posts/a"] = bytes(10_001)
    with pytest.raises(Unfetchable, match="larger than 10,000 bytes"):
        fetch(store, at("s3://media/posts/a"), replace(CLOUD, max_bytes=10_000))


@pytest.mark.parametrize(
    "prefix",
    [
        "media/",
        "s3://",
        "http://x/",
        "s3://media/../other/",
        "s3://media//x",
        "s3://media/x//",
        "s3://me dia/",
        "s3:///",
    ],
)
def test_a_prefix_that_makes_no_sense_is_an_error(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"media\.cloud_prefixes"):
        CloudPlaces((prefix,), 1.0)


def test_a_prefix_ends_where_a_folder_does() -> None:
    folder = CloudAddress.of("s3://media/posts")
    assert CloudAddress.of("s3://media/posts/a").below(folder)
    assert not CloudAddress.of("s3://media/posts2/a").below(folder)
    assert CloudAddress.of("s3://media/anything").below(CloudAddress.of("s3://media"))
