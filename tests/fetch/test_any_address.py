"""Whatever an address is, what comes of it is one of the outcomes that the stage knows: never a failure of ours."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from processors.fetch import FetchOptions, http_source
from processors.fetch.addresses import AddressRule
from processors.fetch.cloud_source import CloudPlaces
from processors.fetch.faults import RemoteFault, Unfetchable
from processors.fetch.sources import Sources
from processors.media.store import MediaStore
from schemas import Media
from tests.fetch.servers import Names
from tests.fetch.stage_parts import at, one, png, processor, reason, record_of
from tests.media.bucket import running_bucket

SCHEMES = ("http", "https", "s3", "gs", "az", "file", "store", "data", "")
PARTS = st.sampled_from(
    [
        *(
            "[",
            "]",
            "[::1]",
            "[fe80::1%25eth0]",
            "[v1.x]",
            "@",
            ":",
            "/",
            "//",
            "\\",
            "?",
            "#",
            "%",
            "%00",
            "%ff",
            "%zz",
        ),
        *(".", "..", "a", "media", "posts", "localhost", "127.1", "8.8.8.8", "0x7f.1", "xn--", "443", "99999", "-1"),
        *("\u2100", "\uff0f", "\uff11", "\u0661", "\u3002", "\u200b", "\u00df", "\u24d0.com", "\x00", "\t", "\n", " "),
        *("a" * 300, "../" * 60, "1" * 500, "a" * 64),
    ]
)
REST = st.lists(st.one_of(PARTS, st.text(max_size=5)), max_size=6).map("".join)
ADDRESSES = st.builds("{}{}{}".format, st.sampled_from(SCHEMES), st.sampled_from(["", ":", "://", ":///"]), REST)


@pytest.fixture
def nothing_answers(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """No socket is had, and the only bucket is a server of ours that is empty."""

    def refuse(_rule: AddressRule, _address: tuple[Any, ...]) -> socket.socket:
        raise ConnectionRefusedError

    monkeypatch.setattr(http_source, "_socket", refuse)
    with running_bucket() as bucket:
        for name, value in bucket.environment().items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.usefixtures("nothing_answers")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("file://[")
@example("file://a[b]")
@example("file://\u2100")
@example("file:%00")
@example("https://[")
@example("s3://media/posts/\x00")
@given(ADDRESSES)
def test_an_address_has_an_outcome_that_is_its_senders(tmp_path: Path, uri: str) -> None:
    options = FetchOptions(allow_http=True, file_roots=(tmp_path,), cloud_prefixes=("s3://media/",), fetch_timeout_s=2)
    store = MediaStore.open(str(tmp_path / "store"))

    async def work() -> None:
        clouds = CloudPlaces(options.cloud_prefixes, options.fetch_timeout_s)
        async with Sources.opened(options, store, clouds, Names({})) as sources, asyncio.timeout(30):
            with pytest.raises((Unfetchable, RemoteFault)):
                await sources.read(at(uri), "acme")

    asyncio.run(work())


def test_an_address_that_a_source_trips_over_fails_its_item_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trip(_self: Sources, media: Media, _tenant: str) -> bytes:
        if media.uri == "https://a.example/odd":
            raise ValueError("nobody thought of this one")
        return png("cat")

    monkeypatch.setattr(Sources, "read", trip)
    store = MediaStore.open(str(tmp_path / "store"))
    record = one(processor(store), record_of(at("https://a.example/odd"), at("https://a.example/good", "m-2")))
    assert reason(record) == "m-1: its address is not valid"
    assert record.fetch is not None
    assert [media.media_id for media in record.fetch.media] == ["m-2"]
