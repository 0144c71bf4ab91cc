"""MAMI, memes with misogyny: SemEval-2022 task 5 (Fersini et al. 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models_export.datasets.adapters.adapter import Adapter, Folder
from models_export.datasets.manifest import NOT_JUDGED, Labels, Row, Split
from models_export.datasets.source import Entry, opened, table

PARTS: tuple[tuple[Split, tuple[str, ...]], ...] = (
    ("train", ("training.csv", "TRAINING/training.csv", "training/training.csv")),
    ("test", ("Test.csv", "test/Test.csv")),
)
"""The trial part is left out: its memes are in the others."""

TEST_LABELS = ("test_labels.txt", "test/test_labels.txt")
CLASSES = ("misogynous", "shaming", "stereotype", "objectification", "violence")
TEXT = "Text Transcription"

BINARY = {"0": False, "1": True}
ATTACK_OF = {"shaming": "mocking", "objectification": "dehumanizing"}
"""A stereotype is no attack of ours by itself; violence is a label."""


def _read(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    later = _test_labels(folder.file(*TEST_LABELS))
    for split, names in PARTS:
        path = folder.file(*names)
        for entry in table(path, "\t") if path else ():
            name = entry.text("file_name")
            told = entry if entry.maybe("misogynous") is not None else later.get(name)
            yield adapter.row(
                f"{split}-{name}",
                split=split,
                text=entry.text(TEXT),
                text_from="picture",
                media=folder.media(name, beside=path.parent if path else None),
                labels=NOT_JUDGED if told is None else _labels(told),
                source_labels=() if told is None else tuple(name for name in CLASSES if told.mapped(name, BINARY)),
            )


def _labels(entry: Entry) -> Labels:
    """`hate` stays open: not all that is misogynous here attacks women as a group."""
    found = {name: entry.mapped(name, BINARY) for name in CLASSES}
    misogynous = found["misogynous"]
    attacks = tuple(attack for name, attack in ATTACK_OF.items() if found[name])
    return Labels(
        labels={"abuse": misogynous, "sexism": misogynous, "violence": found["violence"]},
        targets=("sex",) if misogynous else (),
        # The classes leave out most of our attacks: where none of them holds, others may.
        attacks=attacks or (None if misogynous else ()),
    )


def _test_labels(path: Path | None) -> dict[str, Entry]:
    """Published later, without a header: file name and the five classes."""
    if path is None:
        return {}
    found: dict[str, Entry] = {}
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            name, *values = line.rstrip("\r\n").split("\t")
            found[name] = Entry(f"{path}, row {number}", dict(zip(CLASSES, values, strict=False)))
    return found


MAMI = Adapter(
    dataset="mami",
    folders=("mami", "MAMI"),
    files=tuple(name for _, names in PARTS for name in names),
    licence="on request, for academic purposes only, not to be passed on",
    source="MIND-Lab, SemEval-2022 task 5; labels of the whole meme; abuse 0 means not misogynous: it may be abusive",
    read=_read,
)
