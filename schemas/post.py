"""`post/1`: what producers publish, and its validation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from schemas.taxonomy import Priority
from schemas.wire import InvalidMessage, decode_json

POST_SCHEMA = "post/1"

MAX_POST_BYTES = 2 * 1024 * 1024
"""The largest message of the input topics."""

MAX_ID_CHARS = 256
"""Code points in an id or name. Ids become Kafka keys, metric labels and parts of store paths."""

MAX_ID_BYTES = 4 * MAX_ID_CHARS
"""The same in UTF-8, as in a message's key."""

MAX_URI_CHARS = 4096
"""Signed object-store URLs reach about 2,000 characters."""

MAX_MEDIA = 100
"""Media items of one post: above the largest albums of known platforms, and small enough to bound a post's work."""

MAX_METADATA_BYTES = 64 * 1024
"""Metadata travels through every stage with the record; it is for facts about a post, not for content."""

MAX_REACH = 2**53
"""The largest integer that every JSON reader keeps exactly."""

URI_SCHEMES = ("https", "http", "s3", "gs", "az", "file", "store")

# (?![\s\S]) is the end of the text in every dialect; `$` would also match before a last line feed.
NAME_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*(?![\s\S])"
URI_PATTERN = rf"^(?:{'|'.join(URI_SCHEMES)}):[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+(?![\s\S])"

PATTERN_REASONS = {
    NAME_PATTERN: "control characters and line separators are not allowed",
    URI_PATTERN: f"expected a URI without control characters whose scheme is one of {', '.join(URI_SCHEMES)}",
}

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS, pattern=NAME_PATTERN)]
Name = Annotated[str, Meta(max_length=MAX_ID_CHARS, pattern=NAME_PATTERN)]
Uri = Annotated[str, Meta(max_length=MAX_URI_CHARS, pattern=URI_PATTERN)]
Timestamp = Annotated[datetime, Meta(tz=True)]
"""RFC 3339 with an offset; always an aware `datetime`."""
Reach = Annotated[int, Meta(ge=0, le=MAX_REACH)] | Annotated[float, Meta(ge=0, le=MAX_REACH)]


class InvalidPost(InvalidMessage):
    """Not a valid `post/1`: `field` names the place (`media[0].kind`, `$` for the whole), `reason` says why."""


class Media(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One picture, video or sound of a post: exactly one of `uri` and `data` is set."""

    media_id: Id
    """Names the item in evidence; unique within the post."""
    kind: Literal["image", "video", "audio"]
    """What the producer takes it for; what it is, its bytes say."""
    uri: Uri | None = None
    """Where it can be fetched from."""
    data: bytes | None = None
    """The bytes themselves, base64 in JSON; for small media only."""


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Text that stands around the post."""

    parent_text: str | None = None
    """What the post answers to."""
    title: str | None = None
    """Of the post, or of the thread it stands in."""


class Post(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A valid post: `text` is not empty or there is at least one media item. Text is as it was posted."""

    schema: Literal["post/1"] = POST_SCHEMA
    post_id: Id
    """The producer's own. It should be the message's key: order holds per key."""
    created_at: Timestamp | None = None
    """When it was posted."""
    tenant: Id = "default"
    """Whose post it is: policies, metrics and the media store go by it."""
    region: Name | None = None
    """Policies have layers for regions."""
    platform: Name | None = None
    """Where it was posted; for rules of the policy."""
    author_id: Name | None = None
    """Who wrote it. No model and no rule sees it; it goes no further than the record."""
    account_type: Name | None = None
    """Of the author; for rules of the policy."""
    reach: Reach | None = None
    """How many people see it; for rules of the policy."""
    priority: Priority = Priority.STANDARD
    """How soon a decision is wanted. `modstream publish` chooses the lane by it."""
    lang: Name | None = None
    """ISO 639-1, where the producer knows it; else it is found."""
    text: str | None = None
    """As it was posted."""
    media: Annotated[tuple[Media, ...], Meta(max_length=MAX_MEDIA)] = ()
    """Pictures, videos and sounds."""
    context: Context | None = None
    """Text around the post, which is judged with it."""
    metadata: dict[str, Any] = {}
    """The producer's own; carried with the record, and read by nobody. At most 64 KiB."""


_decoder = msgspec.json.Decoder(Post)
_encoder = msgspec.json.Encoder()


def decode_post(raw: bytes | bytearray | memoryview) -> Post:
    """The post in a message's value; raises `InvalidPost` and nothing else, whatever the bytes are."""
    try:
        post = decode_json(raw, _decoder, schema=POST_SCHEMA, max_bytes=MAX_POST_BYTES, patterns=PATTERN_REASONS)
    except InvalidMessage as error:
        raise InvalidPost(error.field, error.reason) from None
    if not post.text and not post.media:
        raise InvalidPost("text", "empty or missing, and there are no media: one of the two is required")
    if post.media:
        _check_media(post.media)
    if post.metadata:
        _check_metadata(post.metadata)
    return post


def encode_post(post: Post) -> bytes:
    """The JSON of a post; fields at their defaults are left out."""
    return _encoder.encode(post)


def _check_media(media: tuple[Media, ...]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(media):
        if (item.uri is None) == (item.data is None):
            found = "neither" if item.uri is None else "both"
            raise InvalidPost(f"media[{index}]", f"expected exactly one of uri and data, got {found}")
        if item.data == b"":
            raise InvalidPost(f"media[{index}].data", "empty")
        if item.media_id in seen:  # evidence names media by id, so an id must mean one item
            raise InvalidPost(f"media[{index}].media_id", f"{item.media_id[:64]!r} is used twice in this post")
        seen.add(item.media_id)


def _check_metadata(metadata: dict[str, Any]) -> None:
    # Encoding as the record will is the fastest full walk there is; integers over 64 bits do not fit in msgpack.
    try:
        size = len(msgspec.msgpack.encode(metadata))
    except OverflowError:
        raise InvalidPost("metadata", "holds an integer of more than 64 bits") from None
    if size > MAX_METADATA_BYTES:
        raise InvalidPost("metadata", f"{size:,} bytes, expected at most {MAX_METADATA_BYTES:,}")
