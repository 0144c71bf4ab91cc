"""The text as the model sees it: user names and web addresses are one token each.

Data sets replace names and addresses in their own ways (`@USER`, `<user>`, `[URL]`, …): a placeholder found in 93% of
one set and 0% of another teaches a model the set instead of the abuse. Training and serving both come through
`mask`, so what a platform sends in full and what a data set has already blanked look the same.

The two marks are private-use characters: no text keeps one of its own (they are blanked here), so nothing that a
person writes can imitate a mark, and the pack's vocabulary holds each as a single piece.
"""

from __future__ import annotations

import re

USER_MARK = "\ue000"
URL_MARK = "\ue001"

_URL = (
    r"https?(?::\S{0,2000}|\b)|\bwww\.\S{1,2000}|\bt\.co/\S{1,100}|[<\[{]?@?\b(?:HTTP)?URL\b[>\]}]?|[<\[{@]url\b[>\]}]?"
)
# Handles are ASCII: scripts without spaces would otherwise let one "@" hide the rest of a sentence. At least three
# characters, or "@ss" would be a name.
_USER = (
    r"[<\[{]@?user(?:name)?[>\]}]"
    r"|(?<![A-Za-z0-9_.])@[A-Za-z0-9_](?:[A-Za-z0-9_.]{1,28}[A-Za-z0-9_])"
    r"|\b@?(?:USER|USERNAME)\b"
    r"|<Person>"
)
_MARKS = re.compile(f"(?P<url>{_URL})|(?P<user>{_USER})|[\ue000-\uf8ff]")


def mask(text: str) -> tuple[str, list[tuple[int, int, int]]]:
    """The model's view of `text`, and where it differs.

    Returns the view and its edits as (start in the view, start in `text`, end in `text`), ascending; each edit is three
    characters of the view: a space, the mark (or a blanked private-use character) and a space.
    """
    if not _MARKS.search(text):
        return text, []
    parts: list[str] = []
    edits: list[tuple[int, int, int]] = []
    done = length = 0
    for match in _MARKS.finditer(text):
        start, end = match.span()
        before = text[done:start]
        mark = URL_MARK if match["url"] else USER_MARK if match["user"] else " "
        parts += (before, " ", mark, " ")
        length += len(before)
        edits.append((length, start, end))
        length += 3
        done = end
    parts.append(text[done:])
    return "".join(parts), edits


def to_source(edits: list[tuple[int, int, int]], start: int, end: int) -> tuple[int, int]:
    """The span of the masked text's source that the view's [start, end) shows.

    A span that touches a mark covers the whole of what the mark stands for.
    """
    return _source_start(edits, start), _source_end(edits, end)


def _source_start(edits: list[tuple[int, int, int]], at: int) -> int:
    shift = 0
    for view_start, source_start, source_end in edits:
        if at < view_start:
            break
        if at < view_start + 3:
            return source_start
        shift = source_end - (view_start + 3)
    return at + shift


def _source_end(edits: list[tuple[int, int, int]], at: int) -> int:
    shift = 0
    for view_start, _, source_end in edits:
        if at <= view_start:
            break
        if at <= view_start + 3:
            return source_end
        shift = source_end - (view_start + 3)
    return at + shift
