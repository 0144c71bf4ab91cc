"""The languages of a post: of what was posted, of what is written in its pictures, and of what is said in its sound."""

from __future__ import annotations

from processors.pack.layout import UNKNOWN_LANGUAGE
from processors.pack.parts import OWN_FIELDS, WordPart
from processors.text import is_readable
from schemas import AsrSection, OcrSection, Record


def has_own_text(record: Record) -> bool:
    """Whether the post's own fields show a reader anything."""
    fields = record.ingest.fields if record.ingest is not None else {}
    return any(is_readable(fields[name].text) for name in OWN_FIELDS if name in fields)


def post_language(record: Record) -> str:
    """The language of the post's own text; of one without any, that of its pictures' lines where it could be told, else
    that of its speech."""
    own = record.ingest.lang if record.ingest is not None else UNKNOWN_LANGUAGE
    return own if has_own_text(record) else _told(record.ocr) or _told(record.asr) or own


def part_languages(record: Record) -> dict[WordPart, str]:
    """The language that each part is read in; lines and speech that are too little to tell are taken for the post's."""
    post = post_language(record)
    return {"text": post, "ocr": _told(record.ocr) or post, "asr": _told(record.asr) or post}


def _told(section: OcrSection | AsrSection | None) -> str | None:
    return section.lang if section is not None else None
