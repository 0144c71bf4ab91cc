"""How much of the post's own text could be read at ingest: what the limits cut, and what hides."""

from __future__ import annotations

from collections.abc import Mapping

from processors.text import is_readable
from schemas import FieldName, FieldView, Modality, Status

CONTENT_FIELDS: tuple[FieldName, ...] = ("text", "title")
"""The fields that are the post's own; the parent's text is somebody else's, and only read beside them."""


def text_modality(originals: Mapping[FieldName, str], views: Mapping[FieldName, FieldView], limit: int) -> Modality:
    """The status of the post's own text, given its fields as posted and their views of at most `limit` code points.

    `absent`: none, or blanks. `partial`: something of it was not read, because of the limit or because a field shows a
    reader nothing although it is not blank. `failed`: that holds and nothing else was read.
    """
    reasons: list[str] = []
    readable = False
    for name in CONTENT_FIELDS:
        if name not in originals:
            continue
        original = originals[name]
        if len(original) > limit:
            reasons.append(f"{name} has {len(original):,} code points, of which the first {limit:,} were read")
        if is_readable(views[name].text):
            readable = True
        elif not original.isspace():
            reasons.append(f"{name} holds only invisible, control or private-use characters")
    if not reasons:
        return Modality(status=Status.OK if readable else Status.ABSENT)
    return Modality(status=Status.PARTIAL if readable else Status.FAILED, reason="; ".join(reasons))
