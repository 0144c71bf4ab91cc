"""Windows of token ids: pure arithmetic over tokenised fields, shared by serving and training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from processors.pack.layout import UNKNOWN_LANGUAGE, TextLayout

Place = tuple[int, int]
"""[start, end) in code points."""


@dataclass(frozen=True, slots=True)
class TokenField:
    """A field's tokens: `ids` and, aligned with them, `spans` = (start, end) in code points of the tokenised view."""

    name: str
    ids: Sequence[int]
    spans: Sequence[Place]


@dataclass(frozen=True, slots=True)
class TokenWindow:
    """One engine row. `ids` are token ids; `spans` say what it shows: (field, start, end) in the tokenised views."""

    ids: list[int]
    spans: list[tuple[str, int, int]]
    places: list[Place | None]
    """Of each token, its (start, end) in its field's tokenised view; None for those that stand for no text. The fields'
    tokens follow each other as their spans do, each field's behind its marker."""


def cut_windows(
    layout: TextLayout, lang: str | None, fields: Mapping[str, TokenField]
) -> tuple[list[TokenWindow], list[str]]:
    """Lay the fields out as `TextLayout` says.

    Returns at most `layout.max_windows` windows, in reading order, and the names of the fields that did not wholly fit
    into them. A post without any scored token has no window. The result depends on this post alone.
    """
    if layout.languages is None or layout.markers is None:
        raise ValueError("the layout has no token ids; expected one with those of a pack's tokenizer")
    head = [layout.bos, layout.languages.get(lang or UNKNOWN_LANGUAGE, layout.languages[UNKNOWN_LANGUAGE])]
    context = fields.get(layout.context)
    tail = [layout.eos]
    tail_spans: list[tuple[str, int, int]] = []
    tail_places: list[Place | None] = [None]
    if context is not None and context.ids:
        shown = list(context.ids[: layout.context_tokens])
        tail = [layout.markers[layout.context], *shown, layout.eos]
        tail_spans = [(layout.context, context.spans[0][0], context.spans[len(shown) - 1][1])]
        tail_places = [None, *context.spans[: len(shown)], None]
    room = layout.window_tokens - len(head) - len(tail)

    windows: list[TokenWindow] = []
    body: list[int] = []
    spans: list[tuple[str, int, int]] = []
    places: list[Place | None] = []

    def close() -> None:
        shown = [*(None for _ in head), *places, *tail_places]
        windows.append(TokenWindow([*head, *body, *tail], [*spans, *tail_spans], shown))
        body.clear()
        spans.clear()
        places.clear()

    for name in layout.order:
        field = fields.get(name)
        if field is None or not field.ids:
            continue
        marker = layout.markers[name]
        at, total = 0, len(field.ids)
        while at < total:
            free = room - len(body) - 1
            # A field starts in the room that the one before it left, unless what fits there is less than an overlap.
            if body and free < min(total - at, layout.overlap_tokens):
                close()
                if len(windows) == layout.max_windows:
                    return windows, _unread(layout, fields, name)
                continue
            upto = min(total, at + free)
            body += (marker, *field.ids[at:upto])
            places += (None, *field.spans[at:upto])
            spans.append((name, field.spans[at][0], field.spans[upto - 1][1]))
            if upto == total:
                break
            close()
            if len(windows) == layout.max_windows:
                return windows, _unread(layout, fields, name)
            at = upto - layout.overlap_tokens
    if body:
        close()
    return windows, []


def _unread(layout: TextLayout, fields: Mapping[str, TokenField], stopped_at: str) -> list[str]:
    """The field at which the windows ran out and those after it that have something to say."""
    later = layout.order[layout.order.index(stopped_at) :]
    return [name for name in later if name in fields and fields[name].ids]
