"""The languages of a post: of what was posted, and of what is written in its pictures."""

from __future__ import annotations

from processors.pack.layout import UNKNOWN_LANGUAGE
from processors.text import is_readable
from schemas import FieldName, Record

OWN_FIELDS: tuple[FieldName, ...] = ("title", "text")
"""A post's own text, in reading order; what it answers to is somebody else's."""

PICTURE_FIELD: FieldName = "ocr"


def has_own_text(record: Record) -> bool:
    """Whether the post's own fields show a reader anything."""
    fields = record.ingest.fields if record.ingest is not None else {}
    return any(is_readable(fields[name].text) for name in OWN_FIELDS if name in fields)


def post_language(record: Record) -> str:
    """The language of the post's own text; of one without any, that of its pictures' lines where it could be told."""
    own = record.ingest.lang if record.ingest is not None else UNKNOWN_LANGUAGE
    return own if has_own_text(record) else _told_of_lines(record) or own


def picture_language(record: Record) -> str:
    """The language of the lines; where they are too few to tell, they are taken for the post's language."""
    return _told_of_lines(record) or post_language(record)


def _told_of_lines(record: Record) -> str | None:
    return record.ocr.lang if record.ocr is not None else None
