"""Which texts of a post are read together: the whole, each of its parts, and each line and segment of them.

The parts are its own text, its pictures' lines and what is said in its sound. A post with one of them is read once. Of
one with more it is asked what it says as a whole, and what each part says without the others; then a part that is
harmless alone can be told from one that is not, and a reviewer sees which. What one window of the whole shows of one
part alone is left to that part's own windows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from processors.pack.joined_text import Place
from processors.pack.layout import TextLayout
from processors.pack.parts import OWN_FIELDS, WORD_PARTS, WordPart, parts_of
from processors.pack.tokens import FieldTokenizer
from processors.pack.windows import TokenField, TokenWindow, cut_windows
from schemas import FieldName, FieldSpan, FieldView, OffsetMap, Reads, Window

ViewName = Literal["text", "folded"]
Fields = Mapping[FieldName, FieldView]

PlacedPart = Literal["ocr", "asr"]
"""A part, and field, whose text is joined of pieces that have places in it."""

SINGLE: Mapping[PlacedPart, Reads] = {"ocr": "line", "asr": "segment"}
"""What a window reads that shows one of them."""

NOWHERE = (-1, -1)
"""The place of a token that stands for no text."""


@dataclass(frozen=True, slots=True)
class Readings:
    """The windows of a post, and the fields that the limit of windows cut."""

    windows: list[Window]
    unread: list[str]


class PostReader:
    """Cuts the windows of one post. `text` and `folded` are the tokens of its fields in the two views."""

    def __init__(self, layout: TextLayout, tokenizer: FieldTokenizer, fields: Fields) -> None:
        self._layout = layout
        self._fields = fields
        self.text: dict[str, TokenField] = tokenizer({name: field.text for name, field in fields.items()})
        disguises = {name: field.folded for name, field in fields.items() if field.folded is not None}
        self.folded: dict[str, TokenField] = {**self.text, **tokenizer(disguises)}
        self._token_ends: dict[tuple[PlacedPart, ViewName], list[int]] = {}

    def read(self, lang: str, languages: Mapping[WordPart, str]) -> Readings:
        """All but the single lines and segments; `languages` are those of the parts, `lang` is the post's."""
        parts = parts_of(self._scored(self._fields))
        whole, whole_unread = self._cut("all", lang, self._fields)
        if len(parts) < 2:
            return Readings(whole, whole_unread)
        windows = [window for window in whole if len(parts_of(span.field for span in window.spans)) > 1]
        unread: list[str] = []
        for part, fields in WORD_PARTS.items():
            if part in parts:
                # Own text is read beside what it answers to, as in a post that has nothing else.
                names = (*fields, self._layout.context) if part == "text" else fields
                found, left = self._cut(part, languages[part], [name for name in self._fields if name in names])
                windows += found
                unread += left
        return Readings(windows, unread)

    def read_places(self, part: PlacedPart, lang: str, places: Mapping[int, Place]) -> list[Window]:
        """One window for each line, or segment, at its place (by its number), and one more where its folded view
        differs. One that does not fit into a window is left to the windows over the part."""
        windows: list[Window] = []
        for number, place in places.items():
            seen: set[bytes] = set()
            for view in self._views([part]):
                found, _ = cut_windows(self._layout, lang, {part: self._part(part, view, place)})
                if len(found) == 1:
                    made = self._window(found[0], view, SINGLE[part], number)
                    if made.ids.tobytes() not in seen:
                        windows.append(made)
                    seen.add(made.ids.tobytes())
        return windows

    def _cut(self, reads: Reads, lang: str, names: Iterable[FieldName]) -> tuple[list[Window], list[str]]:
        """The text view always gives windows. The folded view (disguises undone) gives further ones where it differs:
        a post is as bad as the worst way of reading it."""
        names = list(names)
        windows: list[Window] = []
        unread: list[str] = []
        for view in self._views(names):
            tokens = self._tokens(view)
            found, left = cut_windows(self._layout, lang, {name: tokens[name] for name in names})
            seen = {window.ids.tobytes() for window in windows}
            made = [self._window(window, view, reads) for window in found]
            windows += [window for window in made if window.ids.tobytes() not in seen]
            unread += [name for name in left if name not in unread]
        return windows, unread

    def _views(self, names: Iterable[FieldName]) -> tuple[ViewName, ...]:
        return ("text", "folded") if self._any_disguised(self._scored(names)) else ("text",)

    def _scored(self, names: Iterable[FieldName]) -> list[FieldName]:
        given = set(names)
        return [name for name in given if name in self._layout.order]

    def _any_disguised(self, names: Iterable[FieldName]) -> bool:
        return any(self._fields[name].folded is not None for name in names)

    def _part(self, part: PlacedPart, view: ViewName, place: Place) -> TokenField:
        """The tokens at a place: those that end within it in the joined text. (A token may begin with the line break
        before its word.)"""
        tokens = self._tokens(view)[part]
        ends = self._ends(part, view)
        first, last = bisect_right(ends, place[0]), bisect_right(ends, place[1])
        return TokenField(part, tokens.ids[first:last], tokens.spans[first:last])

    def _ends(self, part: PlacedPart, view: ViewName) -> list[int]:
        """Where each token of the joined text ends in it, ascending."""
        if (part, view) not in self._token_ends:
            to_original = _map(self._fields[part], view).to_original
            self._token_ends[part, view] = [to_original(*span)[1] for span in self._tokens(view)[part].spans]
        return self._token_ends[part, view]

    def _tokens(self, view: ViewName) -> dict[str, TokenField]:
        return self.text if view == "text" else self.folded

    def _window(self, window: TokenWindow, view: ViewName, reads: Reads, number: int | None = None) -> Window:
        spans: list[FieldSpan] = []
        for name, start, end in window.spans:
            field = cast(FieldName, name)
            spans.append(FieldSpan(field, *_map(self._fields[field], view).to_original(start, end)))
        return Window(
            ids=np.array(window.ids, np.int32),
            view=view,
            spans=tuple(spans),
            reads=reads,
            line=number if reads == "line" else None,
            segment=number if reads == "segment" else None,
            # What nobody posted as text is shown line by line and segment by segment.
            places=self._places(window, view) if any(span.field in OWN_FIELDS for span in spans) else None,
        )

    def _places(self, window: TokenWindow, view: ViewName) -> NDArray[np.int32]:
        """Of the window's tokens, in the fields as they were posted."""
        places = np.array([NOWHERE if place is None else place for place in window.places], np.int32)
        at = 0
        for name, _, _ in window.spans:
            # A field's tokens stand between its marker and the next token that stands for no text.
            first = next(token for token in range(at, len(places)) if window.places[token] is not None)
            at = next(token for token in range(first, len(places)) if window.places[token] is None)
            found = _map(self._fields[cast(FieldName, name)], view)
            if not found.is_identity:
                places[first:at] = [found.to_original(*span) for span in places[first:at].tolist()]
        return places


def _map(field: FieldView, view: ViewName) -> OffsetMap:
    return field.folded_map if view == "folded" and field.folded_map is not None else field.text_map
