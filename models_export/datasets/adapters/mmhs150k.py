"""MMHS150K, tweets with pictures (Gomez et al. 2020, Exploring Hate Speech Detection in Multimodal Publications)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models_export.datasets.adapters.adapter import HATE_ONLY, Adapter, Folder, hateful, in_order, majority
from models_export.datasets.manifest import NOT_JUDGED, DatasetError, Labels, Row, Split
from models_export.datasets.source import Entry, id_list, json_entries

TRUTH = "MMHS150K_GT.json"
SPLITS: Mapping[str, Split] = {"train": "train", "val": "dev", "test": "test"}

TARGET_OF: Mapping[str, str | None] = {
    "NotHate": None,
    "Racist": "race",
    "Sexist": "sex",
    "Homophobe": "sexual_orientation",
    "Religion": "religion",
    "OtherHate": "other",
}
"""H-VLI takes its classes from here."""
CLASSES = {str(number): name for number, name in enumerate(TARGET_OF)}


def _read(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    path = folder.file(TRUTH)
    if path is None:
        raise DatasetError(f"{folder.path}: no {TRUTH}")
    split_of = {
        identity: split
        for name, split in SPLITS.items()
        if (ids := folder.file(f"splits/{name}_ids.txt")) is not None
        for identity in id_list(ids)
    }
    for identity, entry in json_entries(path):
        split = split_of.get(identity)
        if split is None:
            raise DatasetError(f"{entry.place}: in none of the lists splits/*_ids.txt; expected it in one of them")
        names = [entry.meaning("labels", label, CLASSES) for label in entry.listed("labels")]
        votes = tuple(hateful(name != "NotHate", _target(name)) for name in names)
        yield adapter.row(
            identity,
            split=split,
            text=entry.text("tweet_text"),
            media=folder.media(f"img_resized/{identity}.jpg"),
            labels=_agreed(entry, names),
            votes=votes,
            source_labels=tuple(names),
        )


def _target(name: str) -> tuple[str, ...]:
    target = TARGET_OF[name]
    return () if target is None else (target,)


def _agreed(entry: Entry, names: list[str]) -> Labels:
    """Hate by majority; its target where two annotators name the same."""
    hate = majority([name != "NotHate" for name in names])
    if hate is None:
        return NOT_JUDGED
    twice = {target for name in names if names.count(name) > 1 for target in _target(name)}
    return hateful(hate, in_order(twice) or None)


MMHS150K = Adapter(
    dataset="mmhs150k",
    folders=("mmhs150k", "MMHS150K"),
    files=(TRUTH,),
    licence="none stated by its authors; posts and pictures belong to those who posted them",
    source=f"Gomez et al. 2020; labels of the whole post, by majority of three annotators; {HATE_ONLY}",
    read=_read,
)
