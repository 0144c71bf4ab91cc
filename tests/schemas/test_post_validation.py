"""Hostile posts: each is refused with the field and a reason; nothing else is ever raised."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import MAX_POST_BYTES, InvalidPost, Post, Priority, decode_post
from schemas.post import MAX_ID_CHARS, MAX_MEDIA, MAX_METADATA_BYTES, MAX_URI_CHARS
from schemas.wire import MAX_NESTING, MAX_REASON_CHARS

IMAGE = {"media_id": "m-1", "kind": "image", "uri": "https://cdn.example/x.jpg"}


def encode(**fields: Any) -> bytes:
    return json.dumps({"post_id": "p-1", "text": "hello", **fields}).encode()


def refused(raw: bytes) -> InvalidPost:
    with pytest.raises(InvalidPost) as caught:
        decode_post(raw)
    error = caught.value
    assert 0 < len(error.field) <= MAX_REASON_CHARS
    assert 0 < len(error.reason) <= MAX_REASON_CHARS
    f"{error}".encode()  # can be a header and a log line
    assert "\n" not in str(error)
    return error


def outcome(raw: bytes) -> Post | InvalidPost:
    try:
        return decode_post(raw)
    except InvalidPost as error:
        return error


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty value"),
        (b" ", "malformed JSON: input data was truncated (byte 1)"),
        (b"hello", "malformed JSON: invalid character (byte 0)"),
        (b'{"post_id": "p-1", "text": "x"', "malformed JSON: input data was truncated (byte 30)"),
        (b'{"post_id": "p-1", "text": "x",}', "malformed JSON: trailing comma in object (byte 31)"),
        (b'{"post_id": "p-1", "text": "x"} {}', "malformed JSON: trailing characters (byte 33)"),
        (b'{"post_id": "p-1", "text": "a\x00b"}', "malformed JSON: invalid character (byte 29)"),
        (b'\xef\xbb\xbf{"post_id": "p-1", "text": "x"}', "malformed JSON: invalid character (byte 0)"),
        (b"[]", "expected object, got array"),
        (b"null", "expected object, got null"),
        (b'"post"', "expected object, got str"),
        (b"\xff\xfe{", "not UTF-8 at byte 0"),
        (b"[" * 1_000_000, f"nested deeper than {MAX_NESTING} levels"),
        (b'{"post_id": "p-1", "text": "' + b"x" * MAX_POST_BYTES + b'"}', "expected at most 2,097,152"),
    ],
)
def test_a_value_that_is_no_json_object_is_refused_as_a_whole(raw: bytes, reason: str) -> None:
    error = refused(raw)
    assert error.field == "$"
    assert reason in error.reason


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"post_id": 7}, "post_id", "expected str, got int"),
        ({"post_id": None}, "post_id", "expected str, got null"),
        ({"post_id": ""}, "post_id", "length >= 1"),
        ({"post_id": "p" * (MAX_ID_CHARS + 1)}, "post_id", "length <= 256"),
        ({"post_id": "p\n"}, "post_id", "control characters"),
        ({"post_id": "a\x00b"}, "post_id", "control characters"),
        ({"post_id": "a\u0085b"}, "post_id", "control characters"),
        ({"tenant": "t\r\nx: y"}, "tenant", "control characters"),
        ({"tenant": ""}, "tenant", "length >= 1"),
        ({"tenant": "t" * (MAX_ID_CHARS + 1)}, "tenant", "length <= 256"),
        ({"region": "r" * (MAX_ID_CHARS + 1)}, "region", "length <= 256"),
        ({"region": ["EU"]}, "region", "got array"),
        ({"platform": "\x1b[31m"}, "platform", "control characters"),
        ({"author_id": 9}, "author_id", "got int"),
        ({"account_type": True}, "account_type", "got bool"),
        ({"lang": "e\u2028n"}, "lang", "line separators"),
        ({"created_at": "yesterday"}, "created_at", "RFC3339"),
        ({"created_at": "2026-11-22"}, "created_at", "RFC3339"),
        ({"created_at": "2026-11-22T10:00:00"}, "created_at", "timezone"),
        ({"created_at": "2026-02-30T10:00:00Z"}, "created_at", "RFC3339"),
        ({"created_at": 1795316079641}, "created_at", "got int"),
        ({"reach": -1}, "reach", ">= 0"),
        ({"reach": -0.5}, "reach", ">= 0"),
        ({"reach": "many"}, "reach", "got str"),
        ({"reach": True}, "reach", "got bool"),
        ({"reach": 10**40}, "reach", "<= 9007199254740992"),
        ({"reach": 1e300}, "reach", "<= 9007199254740992"),
        ({"reach": float("nan")}, "reach", "NaN"),
        ({"reach": float("inf")}, "reach", "Infinity"),
        ({"priority": "asap"}, "priority", "invalid enum value 'asap'"),
        ({"priority": None}, "priority", "got null"),
        ({"text": 5}, "text", "got int"),
        ({"text": ["a"]}, "text", "got array"),
        ({"media": "x.jpg"}, "media", "got str"),
        ({"media": None}, "media", "got null"),
        ({"media": [IMAGE, "x.jpg"]}, "media[1]", "got str"),
        ({"media": [{**IMAGE, "kind": "picture"}]}, "media[0].kind", "invalid enum value 'picture'"),
        ({"media": [{"media_id": "m-1", "uri": "s3://b/k"}]}, "media[0].kind", "required, but missing"),
        ({"media": [{"kind": "image", "uri": "s3://b/k"}]}, "media[0].media_id", "required, but missing"),
        ({"media": [{**IMAGE, "media_id": "m\t"}]}, "media[0].media_id", "control characters"),
        ({"media": [IMAGE, IMAGE]}, "media[1].media_id", "'m-1' is used twice"),
        ({"media": [{"media_id": "m-1", "kind": "image"}]}, "media[0]", "got neither"),
        ({"media": [{**IMAGE, "data": "aGk="}]}, "media[0]", "got both"),
        ({"media": [{"media_id": "m-1", "kind": "image", "data": "§§"}]}, "media[0].data", "base64"),
        ({"media": [{"media_id": "m-1", "kind": "image", "data": ""}]}, "media[0].data", "empty"),
        ({"media": [{**IMAGE, "uri": "ftp://h/x"}]}, "media[0].uri", "scheme is one of https, http, s3, gs, az, file"),
        ({"media": [{**IMAGE, "uri": "x.jpg"}]}, "media[0].uri", "scheme"),
        ({"media": [{**IMAGE, "uri": "https:"}]}, "media[0].uri", "scheme"),
        ({"media": [{**IMAGE, "uri": "https://h/\r\nHost: x"}]}, "media[0].uri", "control characters"),
        ({"media": [{**IMAGE, "uri": "https://h/" + "x" * MAX_URI_CHARS}]}, "media[0].uri", "length <= 4096"),
        ({"media": [{**IMAGE, "media_id": f"{i}"} for i in range(MAX_MEDIA + 1)]}, "media", "length <= 100"),
        ({"context": "parent"}, "context", "got str"),
        ({"context": {"title": 1}}, "context.title", "got int"),
        ({"metadata": None}, "metadata", "got null"),
        ({"metadata": []}, "metadata", "got array"),
        ({"metadata": {"n": 2**64}}, "metadata", "more than 64 bits"),
        ({"metadata": {"a": [1, float("nan")]}}, "metadata.a[1]", "NaN"),
        ({"metadata": {"k": "v" * MAX_METADATA_BYTES}}, "metadata", "expected at most 65,536"),
        ({"schema": "post/2", "text": {"new": "shape"}}, "schema", "unknown schema 'post/2', expected 'post/1'"),
        ({"schema": "decision/1"}, "schema", "unknown schema 'decision/1'"),
        ({"schema": 1}, "schema", "got int"),
        ({"schema": None}, "schema", "got null"),
        ({"text": ""}, "text", "one of the two is required"),
        ({"text": None}, "text", "one of the two is required"),
        ({"text": None, "media": []}, "text", "one of the two is required"),
    ],
)
def test_a_bad_field_is_named(fields: dict[str, Any], field: str, reason: str) -> None:
    error = refused(encode(**fields))
    assert error.field == field
    assert reason in error.reason


def test_a_missing_post_id_is_named() -> None:
    error = refused(b'{"text": "hello"}')
    assert (error.field, error.reason) == ("post_id", "required, but missing")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (rb'{"post_id": "p-1", "text": "\ud800"}', "text"),
        (rb'{"post_id": "p-1", "text": "\udc00 and more"}', "text"),
        (rb'{"post_id": "p-1", "text": "\ud83dxx\ude00"}', "text"),
        (rb'{"post_id": "\ud800\ud800", "text": "x"}', "post_id"),
        (rb'{"post_id": "p-1", "text": "x", "context": {"title": "\ude00"}}', "context.title"),
        (rb'{"post_id": "p-1", "media": [{"media_id": "m", "kind": "\ud800"}]}', "media[0].kind"),
        (rb'{"post_id": "p-1", "text": "x", "metadata": {"a": [{}, {"b": "\ud800"}]}}', "metadata.a[1].b"),
        (rb'{"post_id": "p-1", "text": "x", "unknown": "\ud800"}', "unknown"),
    ],
)
def test_a_lone_surrogate_is_refused_where_it_stands(raw: bytes, field: str) -> None:
    error = refused(raw)
    assert error.field == field
    assert "surrogate" in error.reason


@pytest.mark.parametrize(
    ("raw", "field", "byte"),
    [
        (b'{"post_id": "p-1", "text": "caf\xe9"}', "text", 31),
        (b'{"post_id": "p-1", "text": "\xed\xa0\x80"}', "text", 28),
        (b'{"post_id": "p-1", "text": "x", "unknown": ["\xff"]}', "unknown[0]", 45),
        (b'{"post_id": "p-1", "text": "x", "metadata": {"k": "\xc0\xaf"}}', "metadata.k", 51),
    ],
)
def test_text_that_is_not_utf8_is_refused_where_it_stands(raw: bytes, field: str, byte: int) -> None:
    error = refused(raw)
    assert error.field == field
    assert f"not UTF-8 at byte {byte}" in error.reason


@pytest.mark.parametrize("field", ["metadata", "unknown", "media", "text"])
@pytest.mark.parametrize("depth", [MAX_NESTING, 1_000, 500_000])
def test_deep_nesting_is_refused_in_any_field(field: str, depth: int) -> None:
    raw = f'{{"post_id": "p-1", "{field}": {"[" * depth}{"]" * depth}}}'.encode()
    error = refused(raw)
    assert error.field == field
    assert f"nested deeper than {MAX_NESTING} levels" in error.reason


def test_nesting_within_the_limit_is_accepted_however_deep_the_caller_is() -> None:
    value: Any = "leaf"
    for _ in range(MAX_NESTING - 2):
        value = [value]
    raw = encode(metadata={"deep": value}, text="[" * 1000 + '"{')

    def call(levels: int) -> Post:
        return call(levels - 1) if levels else decode_post(raw)

    assert call(600).metadata == {"deep": value}


@given(
    st.integers(MAX_NESTING - 4, MAX_NESTING + 1),
    st.lists(st.text(st.sampled_from('[]{}"\\é:,')), min_size=1),
    st.sampled_from(["metadata", "unknown"]),
)
def test_brackets_and_quotes_inside_of_strings_do_not_count(depth: int, texts: list[str], field: str) -> None:
    value: Any = texts
    for level in range(depth - 2):
        value = {texts[0]: value} if level % 2 or level == depth - 3 else [[], value, texts[0]]
    found = outcome(json.dumps({"post_id": "p-1", "text": "{[" * MAX_NESTING, field: value}).encode())
    if depth <= MAX_NESTING:
        assert isinstance(found, Post)
    else:
        assert isinstance(found, InvalidPost)
        assert (found.field, found.reason[:19]) == (field, "nested deeper than ")


def test_an_error_survives_pickling() -> None:
    error = refused(encode(priority="asap"))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(copy), copy.field, str(copy)) == (InvalidPost, "priority", str(error))


def test_a_huge_value_is_not_quoted_in_full() -> None:
    error = refused(encode(priority="x" * 1_000_000))
    assert error.field == "priority"
    error = refused(encode(unknown={"k" * 1_000_000: float("nan")}))
    assert error.field.startswith("unknown.kkk")


def test_a_value_cannot_forge_the_path_of_an_error() -> None:
    assert refused(encode(priority="x' - at `$.tenant`")).field == "priority"


def test_an_unterminated_string_of_escaped_quotes_is_refused_in_linear_time() -> None:
    # At quadratic cost this would run for hours and end in the test's timeout.
    raw = b'{"post_id": "p-1", "unknown": ' + b"[" * (MAX_NESTING - 2) + b'{}{}{}"' + b'\\"' * 900_000
    assert refused(raw).field == "$"


@pytest.mark.parametrize(
    "fields",
    [
        {"schema": "post/1"},
        {"unknown": {"anything": [1, None]}, "another": 2**70},
        {"post_id": "ключ-🙂"},
        {"post_id": "p" * MAX_ID_CHARS},
        {"text": "a\x00b"},
        {"text": " "},
        {"text": "x" * 1_900_000},
        {"text": "🙂" * 10},
        {"text": "", "media": [IMAGE]},
        {"text": None, "media": [{"media_id": "m-3", "kind": "audio", "data": "aGk="}]},
        {"media": [{**IMAGE, "uri": uri, "media_id": uri} for uri in ("store:" + "0" * 64, "gs://b/k", "az://c/k")]},
        {"created_at": "2026-11-22T10:00:00.123+05:30"},
        {"reach": 0},
        {"reach": 12.5},
        {"context": {}},
        {"context": None, "region": None, "lang": None, "created_at": None, "reach": None, "author_id": None},
        {"metadata": {"n": 2**63, "x": [1.5, None, True, {"k": "v"}]}},
    ],
)
def test_unusual_but_valid_posts_are_accepted(fields: dict[str, Any]) -> None:
    post = decode_post(encode(**fields))
    assert post.text == fields.get("text", "hello")


def test_absent_fields_have_their_defaults() -> None:
    post = decode_post(b'{"post_id": "p-1", "text": "hello"}')
    assert post == Post(post_id="p-1", text="hello")
    assert (post.schema, post.tenant, post.priority) == ("post/1", "default", Priority.STANDARD)
    assert (post.media, post.metadata, post.context) == ((), {}, None)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_accepted(kind: type[bytes]) -> None:
    assert decode_post(kind(b'{"post_id": "p-1", "text": "hello"}')).text == "hello"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)
FIELDS = st.sampled_from([*Post.__struct_fields__, "unknown"])


@given(st.dictionaries(FIELDS, JSON))
def test_any_json_is_a_post_or_is_refused_at_one_of_its_fields(fields: dict[str, Any]) -> None:
    found = outcome(json.dumps(fields).encode())
    if isinstance(found, Post):
        assert found.post_id == fields["post_id"]
    else:
        assert re.split(r"[.\[]", found.field)[0] in {*Post.__struct_fields__, "unknown"}


@given(st.binary() | st.binary().map(lambda text: b'{"post_id": "p-1", "text": "' + text + b'"}'))
def test_any_bytes_are_a_post_or_are_refused(raw: bytes) -> None:
    found = outcome(raw)
    assert isinstance(found, Post) or found.reason
