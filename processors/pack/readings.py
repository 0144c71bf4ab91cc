"""Which texts of a post are read together: the whole, its own text, its pictures' lines, and each of the lines.

A post without pictures, and one without own text, is read once. Of one with both, three things are asked: what it says
as a whole, and what either part says without the other; then a part that is harmless alone can be told from one that is
not, and a reviewer sees which. What one window of the whole shows of one part alone is left to that part's own windows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from processors.pack.language import OWN_FIELDS, PICTURE_FIELD
from processors.pack.layout import TextLayout
from processors.pack.picture_text import Place
from processors.pack.tokens import FieldTokenizer
from processors.pack.windows import TokenField, TokenWindow, cut_windows
from schemas import FieldName, FieldSpan, FieldView, OffsetMap, Reads, Window

ViewName = Literal["text", "folded"]
Fields = Mapping[FieldName, FieldView]


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
        self._token_ends: dict[ViewName, list[int]] = {}

    def read(self, lang: str, picture_lang: str) -> Readings:
        """All but the single lines; the languages are those of the post and of the lines in its pictures."""
        own = [name for name in self._scored(self._fields) if name != PICTURE_FIELD]
        if PICTURE_FIELD not in self._fields or not own:
            windows, unread = self._cut("all", lang, self._fields)
            return Readings(windows, unread)
        whole, _ = self._cut("all", lang, self._fields)
        text, text_unread = self._cut("text", lang, [name for name in self._fields if name != PICTURE_FIELD])
        lines, lines_unread = self._cut("ocr", picture_lang, [PICTURE_FIELD])
        return Readings([*filter(_is_mixed, whole), *text, *lines], [*lines_unread, *text_unread])

    def read_lines(self, lang: str, places: Mapping[int, Place]) -> list[Window]:
        """One window for each line at its place (by its number), and one more where its folded view differs."""
        windows: list[Window] = []
        for number, place in places.items():
            seen: set[bytes] = set()
            for view in self._views([PICTURE_FIELD]):
                part = self._part(view, place)
                # What does not fit into one window is read in the windows over all lines.
                for window in cut_windows(self._layout, lang, {PICTURE_FIELD: part})[0][:1]:
                    made = self._window(window, view, "line", number)
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
            tokens = self.text if view == "text" else self.folded
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

    def _part(self, view: ViewName, place: Place) -> TokenField:
        """The tokens of a line: those that end within its place in the joined lines. (A token may begin with the line
        break before its word.)"""
        tokens = (self.text if view == "text" else self.folded)[PICTURE_FIELD]
        ends = self._ends(view)
        first, last = bisect_right(ends, place[0]), bisect_right(ends, place[1])
        return TokenField(PICTURE_FIELD, tokens.ids[first:last], tokens.spans[first:last])

    def _ends(self, view: ViewName) -> list[int]:
        """Where each token of the joined lines ends in them, ascending."""
        if view not in self._token_ends:
            to_original = _map(self._fields[PICTURE_FIELD], view).to_original
            tokens = (self.text if view == "text" else self.folded)[PICTURE_FIELD]
            self._token_ends[view] = [to_original(*span)[1] for span in tokens.spans]
        return self._token_ends[view]

    def _window(self, window: TokenWindow, view: ViewName, reads: Reads, line: int | None = None) -> Window:
        spans: list[FieldSpan] = []
        for name, start, end in window.spans:
            field = cast(FieldName, name)
            spans.append(FieldSpan(field, *_map(self._fields[field], view).to_original(start, end)))
        return Window(ids=np.array(window.ids, np.int32), view=view, spans=tuple(spans), reads=reads, line=line)


def _is_mixed(window: Window) -> bool:
    shown = {span.field for span in window.spans}
    return PICTURE_FIELD in shown and not shown.isdisjoint(OWN_FIELDS)


def _map(field: FieldView, view: ViewName) -> OffsetMap:
    return field.folded_map if view == "folded" and field.folded_map is not None else field.text_map
