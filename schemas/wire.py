"""Decoding of public JSON messages: hostile bytes become one error that names the field and says what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar, cast

import msgspec
import numpy as np

MAX_NESTING = 64
"""Deepest nesting of arrays and objects in a message. Far more than any real message has, and far under the depth
(about 1,000, less the caller's own stack) at which decoders give up: what is refused must not depend on the caller."""

MAX_REASON_CHARS = 400
"""Errors travel in message headers and logs, and a decoder's message can quote a megabyte of the sender's text."""

_MAX_KEY_CHARS = 64
"""Longest object key shown in a field's path, for the same reason."""

T = TypeVar("T")


class InvalidMessage(ValueError):
    """A message that breaks its contract.

    `field` is a path such as `media[0].kind`, or `$` for the message as a whole; `reason` is one sentence. Both are
    bounded in length and can always be encoded as UTF-8.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = _printable(field, MAX_REASON_CHARS)
        self.reason = _printable(reason, MAX_REASON_CHARS)
        super().__init__(self.field, self.reason)  # the arguments, so that it can be pickled

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def decode_json(
    raw: bytes | bytearray | memoryview,
    decoder: msgspec.json.Decoder[T],
    *,
    schema: str,
    max_bytes: int,
    patterns: dict[str, str] | None = None,
) -> T:
    """Decode one message of `schema` (such as `post/1`), or raise `InvalidMessage`.

    `patterns` maps a regular expression of the decoder's type to the sentence that says what it asks for.
    """
    size = raw.nbytes if isinstance(raw, memoryview) else len(raw)
    if size == 0:
        raise InvalidMessage("$", f"empty value, expected a JSON object ({schema})")
    if size > max_bytes:
        raise InvalidMessage("$", f"{size:,} bytes, expected at most {max_bytes:,}")
    raw = bytes(raw)
    _check_nesting(raw)  # first: what follows may recurse
    _check_utf8(raw)
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        found = _schema_named(raw)
        if found is not None and found != schema:
            raise InvalidMessage("schema", f"unknown schema {found[:_MAX_KEY_CHARS]!r}, expected {schema!r}") from None
        raise _from_validation(error, patterns or {}) from None
    except msgspec.DecodeError as error:
        raise _from_malformed(raw, error) from None


class _Head(msgspec.Struct):
    schema: msgspec.Raw = msgspec.Raw()


_HEAD = msgspec.json.Decoder(_Head)
_STRING = msgspec.json.Decoder(str)


def _schema_named(raw: bytes) -> str | None:
    """The schema that well-formed JSON names; None where it names none or something that is no string."""
    try:
        return _STRING.decode(_HEAD.decode(raw).schema)
    except msgspec.DecodeError:
        return None


def _check_utf8(raw: bytes) -> None:
    # All bytes are checked, those of unknown fields too: the decoder skips these without looking.
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        path = _locate(raw.decode("utf-8", "surrogateescape"))
        raise InvalidMessage(path or "$", f"not UTF-8 at byte {error.start}: {error.reason}") from None


def _check_nesting(raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAX_NESTING:
        return
    # Vectorised, for a hostile message can be 2 MiB of brackets. With escapes blanked out (same length), every quote
    # left opens or closes a string. Malformed JSON may be counted wrong, but only after the first error, where the
    # decoder stops.
    plain = np.frombuffer(raw.replace(rb"\\", b"__").replace(rb"\"", b"__"), np.uint8)
    quotes = plain == ord('"')
    outside = np.cumsum(quotes, dtype=np.int32) % 2 == 0
    opens = outside & ((plain == ord("[")) | (plain == ord("{")))
    closes = outside & ((plain == ord("]")) | (plain == ord("}")))
    depth = np.cumsum(opens.view(np.int8) - closes.view(np.int8), dtype=np.int32)
    if int(depth.max()) <= MAX_NESTING:
        return
    at = int(np.argmax(depth > MAX_NESTING))
    field_opens = int(np.flatnonzero(opens[: at + 1] & (depth[: at + 1] == 2))[-1])
    ends = np.flatnonzero(quotes[:field_opens])
    named = len(ends) > 0 and raw.lstrip()[:1] == b"{"
    name = raw[ends[-2] + 1 : ends[-1]].decode("utf-8", "replace")[:_MAX_KEY_CHARS] if named else ""
    raise InvalidMessage(name or "$", f"nested deeper than {MAX_NESTING} levels at byte {at}")


_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]+)`$")
_REGEX = re.compile(r"^Expected `str` matching regex (?P<regex>.+)$", re.DOTALL)


def _from_validation(error: msgspec.ValidationError, patterns: dict[str, str]) -> InvalidMessage:
    # A hostile value quoted in the message may itself hold " - at `...`": the path is what stands last.
    what, marker, path = str(error).rpartition(" - at `")
    if not marker:
        what, path = path, "$"
    path = path.rpartition("` in `")[2]  # a bad key of an object is reported as "at `key` in `$.labels`"
    path = path.rstrip("`").removeprefix("$").removeprefix(".")
    if missing := _MISSING.match(what):
        path = f"{path}.{missing['name']}" if path else missing["name"]
        return InvalidMessage(path, "required, but missing")
    if regex := _REGEX.match(what):
        for pattern, sentence in patterns.items():
            if repr(pattern) == regex["regex"]:
                what = sentence
    return InvalidMessage(path or "$", what[:1].lower() + what[1:].replace("`", ""))


def _from_malformed(raw: bytes, error: msgspec.DecodeError) -> InvalidMessage:
    path = _locate(raw.decode("utf-8"))
    if path is not None:
        return InvalidMessage(path, "holds a lone surrogate or a number that JSON does not have (NaN, Infinity)")
    what = str(error).removeprefix("JSON is malformed: ")
    if "(byte" not in what:  # the one message without a position: the input ends too early
        what = f"{what[:1].lower()}{what[1:]} (byte {len(raw)})"
    return InvalidMessage("$", f"malformed JSON: {what}")


_NOT_A_NUMBER = object()
_SURROGATE = re.compile("[\ud800-\udfff]")


def _locate(text: str) -> str | None:
    """The path of the first lone surrogate, NaN or Infinity in JSON text; None where there is none.

    Only for messages already found to be bad: it uses the slower, more lenient parser of the standard library.
    """
    try:
        root = json.loads(
            text,
            strict=False,
            parse_int=len,  # numbers do not matter here, and long ones are slow to convert
            parse_float=len,
            parse_constant=lambda _: _NOT_A_NUMBER,
        )
    except (ValueError, RecursionError):
        return None
    path = _first_bad(root)
    return None if path is None else path.removeprefix(".") or "$"


def _first_bad(value: Any) -> str | None:
    """The path below `value` of the first thing JSON cannot carry, "" for itself. Recursion is bounded: MAX_NESTING."""
    if value is _NOT_A_NUMBER:
        return ""
    if isinstance(value, str):
        return "" if _SURROGATE.search(value) else None
    if isinstance(value, dict):
        for key, child in cast("dict[str, Any]", value).items():
            below = "" if _SURROGATE.search(key) else _first_bad(child)
            if below is not None:
                return f".{key[:_MAX_KEY_CHARS]}{below}"
    elif isinstance(value, list):
        for index, child in enumerate(cast("list[Any]", value)):
            below = _first_bad(child)
            if below is not None:
                return f"[{index}]{below}"
    return None


def _printable(text: str, limit: int) -> str:
    """`text` on one line, cut to `limit` characters, with nothing that UTF-8 cannot carry."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else "\ufffd" for c in cut)
