"""Media with a manifest of their own: speech, video, photographs, pictures with writing. Nobody judged them."""

from __future__ import annotations

from collections.abc import Iterator

from models_export.datasets.adapters.adapter import Adapter, Folder
from models_export.datasets.manifest import Row
from models_export.datasets.source import json_lines
from schemas.sections import MediaKind

FILE = "manifest.jsonl"
UNKNOWN = frozenset({"", "-"})
UNDETERMINED = "und"
"""ISO 639-2 for a language that is not known, or none."""


def _of(dataset: str, kind: MediaKind, field: str | None) -> Adapter:
    """`field`: where the text of a picture or a sound is."""

    def read(adapter: Adapter, folder: Folder) -> Iterator[Row]:
        path = folder.file(FILE)
        for entry in json_lines(path) if path else ():
            name, lang = entry.text("file"), entry.maybe("lang") or ""
            yield adapter.row(
                name,
                split="diagnostic",
                lang=UNDETERMINED if lang in UNKNOWN else lang,
                text=(entry.maybe(field) or "") if field else "",
                text_from="picture" if kind == "image" else "speech",
                media=folder.media(name, kind=kind),
                licence=entry.maybe("licence") or "",
                facts={"kind": entry.maybe("kind") or ""},
            )

    return Adapter(
        dataset=dataset,
        folders=(dataset,),
        files=(FILE,),
        licence="",
        source="media for tests of reading and hearing; each line states its own source; not judged for abuse",
        read=read,
    )


CLIPS = (
    _of("speech_clips", "audio", "transcript"),
    _of("video_clips", "video", "transcript"),
    _of("photos_permissive", "image", None),
    _of("ocr_samples", "image", "expected_text"),
)
