"""The stretches of a window that can be left out: its sentences, lines and segments, and their words.

All are in code points of the field as it was posted, and know which of the window's tokens show them.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from processors.pack.joined_text import join_lines, join_segments
from processors.text.sentences import sentences
from schemas import FieldName, FieldSpan, Record, Window

_CONTEXT: FieldName = "parent"

# Scripts without spaces between words, as ranges of code points: Thai and Lao, Burmese, Khmer, kana and Han (with the
# planes that extend it). There a token is the smallest thing that can be left out.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

_OUTER = frozenset({"Ps", "Pe", "Pi", "Pf", "Cf", "Cc", "Zs", "Zl", "Zp"})
"""Categories that are no part of a word at its ends: brackets, quotes, blanks and what nobody sees."""

_OUTER_MARKS = frozenset(".,;:!?…\"'،؛؟。、，；：！？।॥\ufe0f")


@dataclass(frozen=True, slots=True)
class Token:
    """One of a window's tokens."""

    at: int
    """Its place in `Window.ids`."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    field: FieldName
    start: int
    end: int
    tokens: tuple[int, ...]
    """Places in `Window.ids`, ascending; at least one."""


def field_tokens(window: Window) -> list[tuple[FieldSpan, list[Token]]]:
    """What the window shows of each field, and by which tokens; a window without places has none."""
    if window.places is None:
        return []
    runs: list[list[Token]] = []
    inside = False
    for at, (start, end) in enumerate(window.places.tolist()):
        if start >= 0:
            if not inside:
                runs.append([])
            runs[-1].append(Token(at, start, end))
        inside = start >= 0
    return list(zip(window.spans, runs, strict=False))


def cut_into_words(record: Record, window: Window) -> list[tuple[Stretch, list[Stretch]]]:
    """The window's sentences, lines and segments, in reading order, and the words of each; of what the post answers to
    there are none."""
    found: list[tuple[Stretch, list[Stretch]]] = []
    for span, tokens in field_tokens(window):
        if span.field == _CONTEXT:
            continue
        text, shown = original_text(record, span.field), {token.at: token for token in tokens}
        found += [
            (stretch, _words(text, span.field, [shown[at] for at in stretch.tokens]))
            for stretch in _assigned(span, tokens, _places(record, span))
        ]
    return found


def _words(text: str, field: FieldName, tokens: Sequence[Token]) -> list[Stretch]:
    """Tokens without a blank between them; in scripts that write none, every token."""
    words: list[list[Token]] = []
    for token in tokens:
        # A blank that is a token of its own belongs to the word after it.
        if words and (_is_blank(text, words[-1]) or _continues(text, words[-1][-1], token)):
            words[-1].append(token)
        else:
            words.append([token])
    found: list[Stretch] = []
    for word in words:
        if not _is_blank(text, word):
            start, end = trimmed(text, min(token.start for token in word), max(token.end for token in word))
            found.append(Stretch(field, start, end, tuple(token.at for token in word)))
    return found


def original_text(record: Record, field: FieldName) -> str:
    """A field as it was posted, or as it was read and heard."""
    match field:
        case "text":
            return record.post.text or ""
        case "title":
            return (record.post.context.title if record.post.context else None) or ""
        case "parent":
            return (record.post.context.parent_text if record.post.context else None) or ""
        case "ocr":
            return join_lines(record.ocr).text
        case "asr":
            return join_segments(record.asr).text


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the blanks, brackets, quotes and marks at its ends; as it is where it has nothing else."""
    first, last = start, end
    while first < last and _is_outer(text[first]):
        first += 1
    while first < last and _is_outer(text[last - 1]):
        last -= 1
    return (first, last) if first < last else (start, end)


def _is_outer(character: str) -> bool:
    return character in _OUTER_MARKS or character.isspace() or unicodedata.category(character) in _OUTER


def _places(record: Record, span: FieldSpan) -> list[tuple[int, int]]:
    match span.field:
        case "ocr":
            return list(join_lines(record.ocr).places)
        case "asr":
            return list(join_segments(record.asr).places)
        case _:
            text = original_text(record, span.field)[span.start : span.end]
            return [(span.start + start, span.start + end) for start, end in sentences(text)]


def _assigned(span: FieldSpan, tokens: Sequence[Token], places: Sequence[tuple[int, int]]) -> list[Stretch]:
    """Every token to the first place that ends where it does or later: it may begin with the blank before it."""
    if not places:
        return []
    ends = [end for _, end in places]
    shown: dict[int, list[Token]] = {}
    for token in tokens:
        shown.setdefault(min(bisect_left(ends, token.end), len(places) - 1), []).append(token)
    return [
        Stretch(span.field, max(places[at][0], span.start), min(places[at][1], span.end), tuple(t.at for t in held))
        for at, held in sorted(shown.items())
        if max(places[at][0], span.start) < min(places[at][1], span.end)
    ]


def _continues(text: str, before: Token, token: Token) -> bool:
    """Whether two tokens that follow each other are of one word."""
    between = text[before.end : token.end] if before.end < token.end else text[token.start : token.end]
    left, right = text[before.end - 1 : before.end], between[:1]
    if token.start < before.end:  # a character that several tokens stand for
        return True
    return not (left.isspace() or right.isspace() or _is_unspaced(left) or _is_unspaced(right))


def _is_blank(text: str, word: Sequence[Token]) -> bool:
    return all(not text[token.start : token.end].strip() for token in word)


def _is_unspaced(character: str) -> bool:
    return bool(character) and any(first <= ord(character) <= last for first, last in _UNSPACED)
