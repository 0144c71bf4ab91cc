"""H-VLI, posts whose hate is in the words, in the picture, in both or only in both together.

Labels of text, picture and whole make eight patterns: `001` is benign in both parts and hateful as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from models_export.datasets.adapters.adapter import HATE_ONLY, Adapter, Folder, hateful
from models_export.datasets.adapters.mmhs150k import TARGET_OF
from models_export.datasets.manifest import DatasetError, Labels, Row, Split
from models_export.datasets.source import Entry, json_entries

PARTS: tuple[tuple[Split, tuple[str, ...]], ...] = (
    ("train", ("train_set.json", "train.json")),
    ("dev", ("valid_set.json", "val_set.json", "dev_set.json")),
    ("test", ("test_set.json", "test.json")),
)
LABELS = ("text_label_str", "image_label_str", "final_label_str")
"""In the order of the pattern's three digits."""
PATTERNS = {pattern: pattern for pattern in ("000", "001", "010", "011", "100", "101", "110", "111")}
DIFFICULTIES = {name: name for name in ("easy", "normal", "hard")}


def _read(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    for split, names in PARTS:
        path = folder.file(*names)
        for identity, entry in json_entries(path) if path else ():
            text, image, whole = (_labels(entry, name) for name in LABELS)
            pattern = entry.mapped("type", PATTERNS)
            told = "".join(str(int(of.labels["hate"])) for of in (text, image, whole))
            if pattern != told:
                raise DatasetError(f"{entry.place}: type is {pattern!r}, but its three labels say {told!r}")
            yield adapter.row(
                identity,
                split=split,
                text=entry.text("tweet_text"),
                media=folder.media(entry.text("image_path")),
                labels=whole,
                by_modality={"text": text, "image": image},
                source_labels=tuple(entry.text(name) for name in LABELS),
                facts={"pattern": pattern, "difficulty": entry.mapped("difficulty", DIFFICULTIES)},
            )


def _labels(entry: Entry, name: str) -> Labels:
    target = entry.mapped(name, TARGET_OF)
    return hateful(target is not None, None if target is None else (target,))


H_VLI = Adapter(
    dataset="h_vli",
    folders=("h_vli", "H-VLI"),
    files=tuple(name for _, names in PARTS for name in names if name.endswith("_set.json")),
    licence="CC BY 4.0",
    source=f"Sayur1n/H-VLI, from MMHS150K's posts; labels of text, picture and whole; {HATE_ONLY}",
    read=_read,
)
