"""The media of a decided post, as people are shown them."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from processors.media.store import MediaStore
from schemas import Media, Post
from streams.media_objects import GONE, UNKNOWN_ITEM, MediaObjects, ShownItem
from streams.settings import Settings, StoreSettings
from tests.drawn import drawn

ONE, OTHER = drawn("one"), drawn("another", "line", form="JPEG")
HOSTILE = b"\x89PNG\r\n\x1a\n<script>alert(1)</script>"


def looked(folder: Path, post: Post, *, stored: tuple[bytes, ...] = (), derived: bool = False) -> list[ShownItem]:
    """What is shown of a post that these bytes were stored for; `derived`: what fetch makes of them as well."""

    async def run() -> list[ShownItem]:
        store = MediaStore.open(str(folder))
        async with MediaObjects(Settings(store=StoreSettings(url=str(folder)))) as objects:
            for data in stored:
                await store.put(post.tenant, post.post_id, data)
                if derived:
                    (item,) = await objects.of_post(inline(data))
                    for picture in item.pictures:
                        await store.put(post.tenant, post.post_id, picture.data)
            return await objects.of_post(post)

    return asyncio.run(run())


def inline(data: bytes) -> Post:
    return Post(post_id="made", media=(Media(media_id="m", kind="image", data=data),))


def fetched(*names: str) -> Post:
    return Post(
        post_id="p-1",
        media=tuple(Media(media_id=name, kind="image", uri=f"https://cdn.example/{name}") for name in names),
    )


def test_an_item_whose_bytes_the_post_names_is_decoded_anew(tmp_path: Path) -> None:
    post = Post(post_id="p-1", media=(Media(media_id="m-1", kind="image", data=OTHER),))
    (item,) = looked(tmp_path, post, stored=(OTHER,))
    assert (item.media_id, item.kind, item.type, item.why_not) == ("m-1", "image", "image/jpeg", None)
    assert item.sha256 == hashlib.sha256(OTHER).hexdigest()
    (picture,) = item.pictures
    assert picture.data != OTHER
    assert picture.data[:3] == b"\xff\xd8\xff"
    assert (picture.width, picture.height) == (item.width, item.height)


@pytest.mark.parametrize("derived", [False, True])
def test_the_one_item_that_was_fetched_is_found_among_what_was_made_of_it(tmp_path: Path, derived: bool) -> None:
    (item,) = looked(tmp_path, fetched("m-1"), stored=(OTHER,), derived=derived)
    assert (item.media_id, item.sha256) == ("m-1", hashlib.sha256(OTHER).hexdigest())
    assert item.pictures


def test_of_several_fetched_items_nobody_guesses_which_is_which(tmp_path: Path) -> None:
    items = looked(tmp_path, fetched("m-1", "m-2"), stored=(ONE, OTHER))
    assert [(item.media_id, item.why_not) for item in items[:2]] == [("m-1", UNKNOWN_ITEM), ("m-2", UNKNOWN_ITEM)]
    assert [item.media_id for item in items[2:]] == [None, None]
    assert {item.sha256 for item in items[2:]} == {hashlib.sha256(data).hexdigest() for data in (ONE, OTHER)}


def test_what_retention_took_and_what_cannot_be_decoded_is_said_and_not_shown(tmp_path: Path) -> None:
    (gone,) = looked(tmp_path, fetched("m-1"))
    assert (gone.why_not, gone.pictures) == (GONE, ())
    hostile = Post(post_id="p-1", media=(Media(media_id="m-1", kind="image", data=HOSTILE),))
    (broken,) = looked(tmp_path, hostile, stored=(HOSTILE,))
    assert broken.pictures == ()
    assert broken.why_not


def test_another_tenants_and_another_posts_media_are_not_shown(tmp_path: Path) -> None:
    looked(tmp_path, fetched("m-1"), stored=(ONE,))
    (other,) = looked(tmp_path, Post(post_id="p-1", tenant="acme", media=fetched("m-1").media))
    assert other.why_not == GONE
    (elsewhere,) = looked(tmp_path, Post(post_id="p-2", media=fetched("m-1").media))
    assert elsewhere.why_not == GONE
