"""Stage `pack`: a post's text fields, the lines read in its pictures and what is said in its sound become the encoder's
windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as replace_fields

from msgspec.structs import replace

from processors.contract import BatchPolicy, Outcome, ProcessingError
from processors.ingest.processor import MAX_TEXT_CHARS
from processors.pack.features import picture_features, speech_features, text_features
from processors.pack.joined_text import join_lines, join_segments
from processors.pack.language import part_languages, post_language
from processors.pack.layout import TextLayout
from processors.pack.parts import OWN_FIELDS, PICTURE_FIELD, SPEECH_FIELD
from processors.pack.readings import Fields, PlacedPart, PostReader
from processors.pack.windows import TokenField
from processors.packs import Pack
from processors.text import field_view, is_readable
from schemas import (
    Cause,
    FieldName,
    FieldView,
    Modality,
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

MAX_LINE_WINDOWS = 16
"""Lines of a post that get a window of their own: a meme has three to six. A line of ten tokens costs some 7 ms of CPU,
so a page of print would otherwise cost more than all other windows together; its further lines are scored with others.
"""

MAX_SEGMENT_WINDOWS = 16
"""The same for segments of speech, of which a minute has six to fifteen."""

TEXT, SPEECH = "text", "speech"


class PackProcessor:
    """Tokenises the fields and lays them out in windows, as the pack's manifest says. Training does the same.

    The text view always gives windows. The folded view (disguises undone) gives further ones where it differs: a post
    is as bad as the worst way of reading it.
    """

    stage = Stage.PACK

    def __init__(
        self,
        pack: Pack,
        *,
        max_windows: int | None = None,
        max_text_chars: int = MAX_TEXT_CHARS,
        batching: BatchPolicy = BATCHING,
    ) -> None:
        """`max_windows`: a lower limit than the pack's own, for each reading and view. `max_text_chars`: code points
        read of all lines in a post's pictures together, and of all that is said in its sound. Raises `PackError`."""
        self.batching = batching
        self._tokenizer = pack.load_tokenizer()
        self._unknown_id = pack.manifest.text.layout.unk
        self._layout = _limited(pack.layout, max_windows)
        self._limit = max_text_chars

    def cost(self, record: Record, /) -> int:
        """Tokens, as an estimate."""
        if record.ingest is None:
            return 0
        written = sum(len(line.text) for _, line in record.ocr.lines) if record.ocr is not None else 0
        said = sum(len(segment.text) for _, segment in record.asr.segments) if record.asr is not None else 0
        own = sum(len(field.text) + len(field.folded or "") for field in record.ingest.fields.values())
        return (own + min(written, self._limit) + min(said, self._limit)) // CHARS_PER_TOKEN

    def prepare(self, record: Record, /) -> Record:
        """The record with its `pack` section; `text`, `ocr` or `speech` is `partial` where something could not be
        read.

        Raises `ProcessingError` for a record that ingest has not seen.
        """
        if record.ingest is None:
            raise ProcessingError(
                Cause.INVALID_RECORD, "no ingest section; expected ingest to run before pack", "ingest"
            )
        lines, segments = join_lines(record.ocr), join_segments(record.asr)
        written, said = field_view(lines.text, self._limit), field_view(segments.text, self._limit)
        fields = _readable({**record.ingest.fields, PICTURE_FIELD: written, SPEECH_FIELD: said})
        reader = PostReader(self._layout, self._tokenizer, fields)
        languages = part_languages(record)
        readings = reader.read(post_language(record), languages)
        windows = readings.windows
        if PICTURE_FIELD in fields:
            windows += reader.read_places("ocr", languages["ocr"], lines.to_score(MAX_LINE_WINDOWS))
        if SPEECH_FIELD in fields:
            windows += reader.read_places("asr", languages["asr"], segments.to_score(MAX_SEGMENT_WINDOWS))

        features = self._features(record, reader, fields, windows)
        section = PackSection(windows=tuple(windows), features=features, unread=tuple(readings.unread))
        known = record.modalities
        modalities = note_partial(record.modalities, TEXT, self._gaps(section, OWN_FIELDS, "unknown_share"))
        gaps = self._cut("ocr", written) + self._gaps(section, (PICTURE_FIELD,), "ocr_unknown_share")
        modalities = note_partial(modalities, PICTURE_FIELD, gaps)
        gaps = self._cut("asr", said) + self._gaps(section, (SPEECH_FIELD,), "asr_unknown_share")
        modalities = note_partial(modalities, SPEECH, gaps)
        if before := {name: known.get(name) for name in modalities if modalities[name] is not known.get(name)}:
            section = replace(section, before=before)
        return replace(record, pack=section, modalities=modalities)

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return list(batch)

    def _features(
        self, record: Record, reader: PostReader, fields: Fields, windows: Sequence[Window]
    ) -> dict[str, float]:
        own: list[FieldName] = [name for name in OWN_FIELDS if name in self._layout.order and name in fields]
        features = text_features(
            [fields[name].text for name in own],
            unknown=[lost for name in own for lost in self._unknown(fields[name], reader.text[name])],
            tokens=sum(len(reader.text[name].ids) for name in own),
            windows=len(windows),
            disguised=any(fields[name].folded is not None for name in own),
        )
        if record.fetch is not None or record.ocr is not None:
            features |= picture_features(record.fetch, record.ocr, *self._joined("ocr", reader, fields))
        if record.asr is not None:
            features |= speech_features(record.asr, *self._joined("asr", reader, fields))
        return features

    def _joined(self, part: PlacedPart, reader: PostReader, fields: Fields) -> tuple[str, list[str]]:
        """The text view of a part, and what of it no token stands for."""
        view = fields.get(part)
        return (view.text, self._unknown(view, reader.text[part])) if view is not None else ("", [])

    def _unknown(self, view: FieldView, tokens: TokenField) -> list[str]:
        """The stretches of a text view that no token stands for."""
        return [
            view.text[start:end]
            for token, (start, end) in zip(tokens.ids, tokens.spans, strict=True)
            if token == self._unknown_id
        ]

    def _cut(self, part: PlacedPart, view: FieldView) -> list[str]:
        if view.original_length <= self._limit:
            return []
        return [f"{part} has {view.original_length:,} code points, of which the first {self._limit:,} were read"]

    def _gaps(self, section: PackSection, names: Sequence[FieldName], unknown_share: str) -> list[str]:
        """Why some of these fields were not wholly read."""
        reasons: list[str] = []
        if unread := [name for name in section.unread if name in names]:
            limit = f"the limit of {self._layout.max_windows} windows"
            reasons.append(f"{limit} left something unread in: {', '.join(unread)}")
        share = section.features.get(unknown_share, 0.0)
        if share > MAX_UNKNOWN_SHARE:
            reasons.append(f"the pack's vocabulary lacks {share:.0%} of the letters")
        return reasons


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


def before_pack(record: Record) -> Record:
    """The record as pack got it: what was read and heard stays, what a model pack made of it is gone."""
    if record.pack is None:
        return record
    said = {**record.modalities, **record.pack.before}
    kept = {name: modality for name, modality in said.items() if modality is not None}
    return replace(record, pack=None, encode=None, modalities=kept)


def _readable(fields: Fields) -> Fields:
    # A blank field would be a window that says nothing, and be scored for it.
    return {name: field for name, field in fields.items() if is_readable(field.text)}


def _limited(layout: TextLayout, max_windows: int | None) -> TextLayout:
    if max_windows is None or max_windows >= layout.max_windows:
        return layout
    return replace_fields(layout, max_windows=max_windows)
