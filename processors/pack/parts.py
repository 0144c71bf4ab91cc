"""The parts of a post that have words: its own text, what is written in its pictures, what is said in its sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from schemas import FieldName

WordPart = Literal["text", "ocr", "asr"]

OWN_FIELDS: tuple[FieldName, ...] = ("title", "text")
"""A post's own text, in reading order; what it answers to is somebody else's."""

PICTURE_FIELD: FieldName = "ocr"
SPEECH_FIELD: FieldName = "asr"

WORD_PARTS: Mapping[WordPart, tuple[FieldName, ...]] = {
    "text": OWN_FIELDS,
    "ocr": (PICTURE_FIELD,),
    "asr": (SPEECH_FIELD,),
}
"""Part -> its fields."""

_PART: Mapping[FieldName, WordPart] = {name: part for part, names in WORD_PARTS.items() for name in names}


def parts_of(fields: Iterable[FieldName]) -> set[WordPart]:
    """The parts that these fields belong to; the context belongs to none."""
    return {_PART[name] for name in fields if name in _PART}
