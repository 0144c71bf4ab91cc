"""Pictures that are held for the pages that are about to ask for them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from console.media import ADDRESS_S, MediaDesk
from schemas import decode_post
from tests.console.conftest import Objects

POST = decode_post(b'{"post_id": "p-1", "media": [{"media_id": "m-1", "kind": "image", "data": "aGVsbG8="}]}')


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_an_address_holds_for_its_time_and_its_picture_no_longer() -> None:
    clock = Clock()
    desk = MediaDesk(cast("Any", Objects()), clock)
    (row,) = asyncio.run(desk.rows(POST))
    token = str(row["src"]).removeprefix("/api/media/")
    clock.now_s = ADDRESS_S
    assert desk.find(token) is not None
    clock.now_s += 1
    assert desk.find(token) is None
    assert (desk._held, desk._bytes) == ({}, 0)
