"""Memotion, memes with shades of offence: SemEval-2020 task 8, and its second edition (De-Factify, AAAI 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models_export.datasets.adapters.adapter import Adapter, Folder
from models_export.datasets.manifest import Labels, Row, Split
from models_export.datasets.source import Entry, table

OFFENCE: Mapping[str, Labels] = {
    "not_offensive": Labels(labels={"abuse": False}, targets=(), severity=0),
    # Mostly friendly mockery: whether it is abuse stays open.
    "slight": Labels(severity=1),
    "very_offensive": Labels(labels={"abuse": True}, severity=2),
    "hateful_offensive": Labels(labels={"abuse": True}, severity=3),
}
"""`hate` stays open throughout: the scale is of strength, not of whom it hits."""

SECOND: tuple[tuple[Split, str, str], ...] = (
    ("train", "memotion_train.csv", "train_images"),
    ("dev", "memotion_val.csv", "val_images"),
    ("test", "memotion_test.csv", "test_images"),
)


def _first(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    path = folder.file("labels.csv")
    for entry in table(path) if path else ():
        name = entry.text("image_name")
        yield _row(adapter, entry, name, folder, f"images/{name}", "train")


def _second(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    for split, name, images in SECOND:
        path = folder.file(name, f"Memotion2/{name}")
        for entry in table(path) if path else ():
            identity = entry.text("Id", "id", "image_name")
            picture = identity if "." in identity else f"{identity}.jpg"
            yield _row(adapter, entry, f"{split}-{identity}", folder, f"{images}/{picture}", split)


def _row(adapter: Adapter, entry: Entry, identity: str, folder: Folder, picture: str, split: Split) -> Row:
    return adapter.row(
        identity,
        split=split,
        text=entry.maybe("text_corrected", "ocr_text", "text_ocr") or "",
        text_from="picture",
        media=folder.media(picture),
        labels=entry.mapped("offensive", OFFENCE),
        source_labels=(entry.text("offensive"),),
    )


MEMOTION_1 = Adapter(
    dataset="memotion_1",
    folders=("memotion_dataset_7k", "memotion_1", "memotion1"),
    files=("labels.csv",),
    licence="none stated with the files; a public release for SemEval-2020 task 8",
    source="Sharma et al. 2020; label of the whole meme; noisy",
    read=_first,
)
MEMOTION_2 = Adapter(
    dataset="memotion_2",
    folders=("memotion_2", "memotion2", "Memotion2"),
    files=tuple(name for _, part, _ in SECOND for name in (part, f"Memotion2/{part}")),
    licence="on request, for research; none stated with the files",
    source="Ramamoorthy et al. 2022, De-Factify at AAAI; label of the whole meme; noisy",
    read=_second,
)
