"""One value of one setting, from what a person wrote."""

from __future__ import annotations

import json
import math
import re
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from streams.settings.catalogue import Entry
from streams.settings.private import Overrides, Secret, overrides

BOOLEANS = {"true": True, "false": False}
"""As TOML writes them; capitals do not count."""


def read_text(entry: Entry, text: str) -> Any:
    """The value that a text from the environment or the command line stands for.

    Raises ValueError with what was expected.
    """
    raw: object = text
    match entry.kind:
        case inspect.IntType():
            raw = _whole_number(text)
        case inspect.BoolType():
            raw = BOOLEANS.get(text.strip().casefold(), text)
        case inspect.FloatType():
            try:
                raw = float(text)
            except ValueError:
                raise ValueError(f"expected {entry.expected}") from None
        case inspect.VarTupleType(item_type=kind):
            items = [item.strip() for item in text.split(",") if item.strip()]
            raw = [_whole_number(item) for item in items] if _of_numbers(kind) else items
        case inspect.CustomType(cls=cls) if cls is Overrides:
            try:
                raw = json.loads(text)
            except ValueError:
                raise ValueError(f"expected {entry.expected}") from None
        case _:
            pass
    return read_value(entry, raw)


def read_value(entry: Entry, raw: object) -> Any:
    """The value that a TOML value (or an already typed one) stands for. Raises ValueError with what was expected."""
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError(f"expected {entry.expected}")
    if isinstance(entry.kind, inspect.EnumType) and isinstance(raw, str):
        # Brokers' documents write SASL_SSL where librdkafka's write sasl_ssl: both mean the same.
        raw = next((choice.value for choice in entry.kind.cls if _same(choice, raw)), raw)
    try:
        return msgspec.convert(raw, entry.annotation, dec_hook=_custom)
    except msgspec.ValidationError as error:
        # A reason of our own (a property that must not be set) says more than the type does.
        own = error.__cause__
        raise ValueError(str(own) if own is not None and str(own) else f"expected {entry.expected}") from None


def _whole_number(text: str) -> int | str:
    """The number; a text that is none as it is, so that it is refused with what was expected."""
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text.strip()) else text


def _of_numbers(kind: inspect.Type) -> bool:
    return isinstance(kind.type if isinstance(kind, inspect.Metadata) else kind, inspect.IntType)


def _same(choice: Enum, text: str) -> bool:
    return str(choice.value).casefold() == text.strip().casefold()


def _custom(wanted: type, raw: Any) -> Any:
    """Values of our own types, for msgspec; a TypeError with no text is a value of the wrong type."""
    if isinstance(raw, wanted):
        return raw
    if wanted is Overrides and isinstance(raw, dict):
        return overrides(raw)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(raw, str) and raw.strip():
        if wanted is Path:
            return Path(raw).expanduser()
        if wanted is Secret:
            return Secret(raw)
    raise ValueError
