"""Stage `pack`: a post's text fields become the encoder's windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as replace_fields
from typing import Literal, cast

import numpy as np
from msgspec.structs import replace

from processors.contract import BatchPolicy, Outcome, ProcessingError
from processors.pack.features import text_features
from processors.pack.layout import TextLayout
from processors.pack.windows import TokenField, TokenWindow, cut_windows
from processors.packs import Pack
from processors.text import is_readable
from schemas import (
    Cause,
    FieldName,
    FieldSpan,
    FieldView,
    Modality,
    OffsetMap,
    PackSection,
    Record,
    Stage,
    Status,
    Window,
)

CHARS_PER_TOKEN = 3
"""For estimates of cost only: European languages have four and more, Chinese one to two."""

MAX_UNKNOWN_SHARE = 0.5
"""Of a text with more unknown letters than this, the model saw less than half: it counts as not wholly read. Emoji do
not count, new ones appear every year."""

BATCHING = BatchPolicy(max_items=64, max_cost=16_384, max_wait_s=0.0)
"""Nothing is gained by waiting: items are prepared one by one. Small batches let the encoder start early."""

TEXT = "text"

ViewName = Literal["text", "folded"]
Fields = Mapping[FieldName, FieldView]


class PackProcessor:
    """Tokenises the fields and lays them out in windows, as the pack's manifest says. Training does the same.

    The text view always gives windows. The folded view (disguises undone) gives further ones where it differs: a post
    is as bad as the worst way of reading it.
    """

    stage = Stage.PACK

    def __init__(self, pack: Pack, *, max_windows: int | None = None, batching: BatchPolicy = BATCHING) -> None:
        """`max_windows`: a lower limit than the pack's own, for each of the two views. Raises `PackError`."""
        self.batching = batching
        self._tokenizer = pack.load_tokenizer()
        self._unknown_id = pack.manifest.text.layout.unk
        self._layout = _limited(pack.layout, max_windows)

    def cost(self, record: Record, /) -> int:
        """Tokens, as an estimate."""
        if record.ingest is None:
            return 0
        return (
            sum(len(field.text) + len(field.folded or "") for field in record.ingest.fields.values()) // CHARS_PER_TOKEN
        )

    def prepare(self, record: Record, /) -> Record:
        """The record with its `pack` section; `text` is `partial` where something could not be read.

        Raises `ProcessingError` for a record that ingest has not seen.
        """
        if record.ingest is None:
            raise ProcessingError(
                Cause.INVALID_RECORD, "no ingest section; expected ingest to run before pack", "ingest"
            )
        # A blank field would be a window that says nothing, and be scored for it.
        fields: Fields = {name: field for name, field in record.ingest.fields.items() if is_readable(field.text)}
        tokens = self._tokenizer({name: field.text for name, field in fields.items()})
        found, unread = cut_windows(self._layout, record.ingest.lang, tokens)
        windows = [_window(window, "text", fields) for window in found]

        scored = {name: fields[cast(FieldName, name)] for name in self._layout.order if name in tokens}
        disguised = any(field.folded is not None for field in scored.values())
        if disguised:
            more, more_unread = self._folded_windows(record.ingest.lang, fields)
            seen = {window.ids.tobytes() for window in windows}
            windows += [window for window in more if window.ids.tobytes() not in seen]
            unread += [name for name in more_unread if name not in unread]

        features = text_features(
            [fields[cast(FieldName, name)].text for name in scored],
            unknown=[
                lost for name in scored for lost in self._unknown(fields[cast(FieldName, name)].text, tokens[name])
            ],
            tokens=sum(len(tokens[name].ids) for name in scored),
            windows=len(windows),
            disguised=disguised,
        )
        section = PackSection(windows=tuple(windows), features=features, unread=tuple(unread))
        return replace(record, pack=section, modalities=self._modalities(record, section))

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return list(batch)

    def _folded_windows(self, lang: str, fields: Fields) -> tuple[list[Window], list[str]]:
        views = {name: field.text if field.folded is None else field.folded for name, field in fields.items()}
        found, unread = cut_windows(self._layout, lang, self._tokenizer(views))
        return [_window(window, "folded", fields) for window in found], unread

    def _unknown(self, text: str, field: TokenField) -> list[str]:
        """The stretches of a view that no token stands for."""
        return [
            text[start:end]
            for token, (start, end) in zip(field.ids, field.spans, strict=True)
            if token == self._unknown_id
        ]

    def _modalities(self, record: Record, section: PackSection) -> dict[str, Modality]:
        reasons: list[str] = []
        if section.unread:
            limit = f"the limit of {self._layout.max_windows} windows"
            reasons.append(f"{limit} left something unread in: {', '.join(section.unread)}")
        share = section.features["unknown_share"]
        if share > MAX_UNKNOWN_SHARE:
            reasons.append(f"the pack's vocabulary lacks {share:.0%} of the letters")
        return note_partial(record.modalities, TEXT, reasons)


def note_partial(modalities: Mapping[str, Modality], name: str, reasons: Sequence[str]) -> dict[str, Modality]:
    """`modalities` with one that was not wholly read; what earlier stages said of it stays, `failed` above all."""
    noted = dict(modalities)
    if reasons:
        before = noted.get(name)
        known = [before.reason] if before is not None and before.reason else []
        worse = before is not None and before.status in (Status.FAILED, Status.UNSAFE)
        status = before.status if before is not None and worse else Status.PARTIAL
        noted[name] = Modality(status=status, reason="; ".join([*known, *reasons]))
    return noted


def _limited(layout: TextLayout, max_windows: int | None) -> TextLayout:
    if max_windows is None or max_windows >= layout.max_windows:
        return layout
    return replace_fields(layout, max_windows=max_windows)


def _window(window: TokenWindow, view: ViewName, fields: Fields) -> Window:
    spans: list[FieldSpan] = []
    for name, start, end in window.spans:
        field = cast(FieldName, name)
        spans.append(FieldSpan(field, *_map(fields[field], view).to_original(start, end)))
    return Window(ids=np.array(window.ids, np.int32), view=view, spans=tuple(spans))


def _map(field: FieldView, view: ViewName) -> OffsetMap:
    return field.folded_map if view == "folded" and field.folded_map is not None else field.text_map
