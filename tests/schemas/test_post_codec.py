"""Posts as Python objects and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas import Context, Media, Post, Priority, decode_post, encode_post

GOLDEN = """
{"schema": "post/1", "post_id": "p-1", "created_at": "2026-11-22T10:00:00Z", "tenant": "default",
 "region": "EU", "platform": null, "author_id": "u-9", "account_type": null, "reach": null,
 "priority": "standard", "lang": null, "text": "caption or body",
 "media": [{"media_id": "m-1", "kind": "image", "uri": "https://cdn.example/x.jpg"},
           {"media_id": "m-2", "kind": "video", "uri": "s3://bucket/key"},
           {"media_id": "m-3", "kind": "audio", "data": "c291bmQ="}],
 "context": {"parent_text": null, "title": null}, "metadata": {}}
"""


def test_the_documented_example_is_a_post() -> None:
    assert decode_post(GOLDEN.encode()) == Post(
        post_id="p-1",
        created_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
        region="EU",
        author_id="u-9",
        text="caption or body",
        media=(
            Media(media_id="m-1", kind="image", uri="https://cdn.example/x.jpg"),
            Media(media_id="m-2", kind="video", uri="s3://bucket/key"),
            Media(media_id="m-3", kind="audio", data=b"sound"),
        ),
        context=Context(),
    )


def test_fields_at_their_defaults_are_left_out_of_the_json() -> None:
    raw = encode_post(Post(post_id="p-1", text="hello"))
    assert json.loads(raw) == {"post_id": "p-1", "text": "hello"}


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)
IDS = NAMES.filter(bool)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
METADATA = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | TEXTS,
        lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXTS, children, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
LOCATIONS = st.builds(dict, uri=NAMES.map(lambda path: f"https://h/{path}")) | st.builds(
    dict, data=st.binary(min_size=1)
)


@st.composite
def posts(draw: st.DrawFn) -> Post:
    media = [
        Media(media_id=f"m-{index}", kind=draw(st.sampled_from(["image", "video", "audio"])), **draw(LOCATIONS))
        for index in range(draw(st.integers(0, 3)))
    ]
    optional: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "created_at": st.datetimes(timezones=ZONES),
                "tenant": IDS,
                "region": NAMES,
                "platform": NAMES,
                "author_id": NAMES,
                "account_type": NAMES,
                "reach": st.integers(0, 2**53) | st.floats(0, 2**53),
                "priority": st.sampled_from(Priority),
                "lang": NAMES,
                "context": st.builds(Context, parent_text=st.none() | TEXTS, title=st.none() | TEXTS),
                "metadata": METADATA,
            },
        )
    )
    text = draw(TEXTS if media else TEXTS.filter(bool))
    return Post(post_id=draw(IDS), text=text, media=tuple(media), **optional)


@given(posts())
def test_every_post_survives_its_json(post: Post) -> None:
    assert decode_post(encode_post(post)) == post
