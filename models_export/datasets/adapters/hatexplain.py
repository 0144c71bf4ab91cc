"""HateXplain (Mathew et al. 2021), as published and as its majority labels alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models_export.datasets.adapters.adapter import Adapter, Folder, in_order
from models_export.datasets.manifest import NOT_JUDGED, DatasetError, Labels, Row, Split
from models_export.datasets.source import Entry, json_entries, json_list, whole_object

DATASET = ("dataset.json", "Data/dataset.json")
DIVISIONS = ("post_id_divisions.json", "Data/post_id_divisions.json")
MAJORITY = ("hatexplain_majority_label.json",)

SPLITS: Mapping[str, Split] = {"train": "train", "val": "dev", "test": "test"}
CLASSES: Mapping[str, dict[str, bool]] = {
    "hatespeech": {"abuse": True, "hate": True},
    "offensive": {"abuse": True, "hate": False},
    "normal": {"abuse": False, "hate": False},
}
TARGET_OF: Mapping[str, str | None] = {
    "None": None,
    "African": "race",
    "Arab": "race",
    "Asian": "race",
    "Caucasian": "race",
    "Hispanic": "race",
    "Indian": "race",
    "Indigenous": "race",
    "Minority": "race",
    "Buddhism": "religion",
    "Christian": "religion",
    "Hindu": "religion",
    "Islam": "religion",
    "Jewish": "religion",
    "Nonreligious": "religion",
    "Refugee": "nationality",
    "Men": "sex",
    "Women": "sex",
    "Asexual": "sexual_orientation",
    "Bisexual": "sexual_orientation",
    "Gay": "sexual_orientation",
    "Heterosexual": "sexual_orientation",
    "Homosexual": "sexual_orientation",
    "Disability": "disability",
    "Economic": "other",
    "Other": "other",
}
AGREED = 2
"""Of three annotators: a label, a target, a token of the rationale."""


def _read(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    whole = folder.file(*DATASET)
    if whole is not None:
        divisions = folder.file(*DIVISIONS)
        if divisions is None:
            raise DatasetError(f"{folder.path}: {whole.name} is there without {DIVISIONS[0]}; expected both")
        parts = Entry(str(divisions), whole_object(divisions))
        split_of: dict[str, Split] = {
            str(identity): split for name, split in SPLITS.items() for identity in parts.listed(name)
        }
        for identity, entry in json_entries(whole):
            # Posts without any majority are in none of the authors' parts.
            yield _post(adapter, identity, entry, split_of.get(identity))
        return
    majority = folder.file(*MAJORITY)
    for number, entry in enumerate(json_list(majority) if majority else (), 1):
        target = entry.mapped("domain", TARGET_OF)
        name = entry.text("label")
        yield adapter.row(
            f"{majority.name.partition('.')[0] if majority else ''}-{number}",
            split=entry.mapped("split", SPLITS),
            text=entry.text("text"),
            labels=_labels(entry, name, () if target is None else (target,)),
            source_labels=(name, entry.text("domain")),
        )


def _post(adapter: Adapter, identity: str, entry: Entry, split: Split | None) -> Row:
    tokens = [str(token) for token in entry.listed("post_tokens")]
    annotators = entry.objects("annotators")
    if not annotators:
        raise DatasetError(f"{entry.place}: no annotators; expected some")
    names = [annotator.text("label") for annotator in annotators]
    named = [
        {annotator.meaning("target", name, TARGET_OF) for name in annotator.listed("target")}
        for annotator in annotators
    ]
    votes = tuple(
        _labels(entry, name, in_order({target for target in targets if target}))
        for name, targets in zip(names, named, strict=True)
    )
    counts = Counter(target for targets in named for target in targets if target)
    agreed = in_order({target for target, count in counts.items() if count >= AGREED})
    common, count = Counter(names).most_common(1)[0]
    return adapter.row(
        identity,
        split=split or "excluded",
        excluded=None if split else "no two annotators agree, and the authors put it into no part",
        text=" ".join(tokens),
        labels=_labels(entry, common, agreed) if count >= AGREED else NOT_JUDGED,
        votes=votes,
        rationale=tuple(_rationale(tokens, entry.lists("rationales"))),
        source_labels=tuple(names),
    )


def _labels(entry: Entry, name: str, targets: tuple[str, ...]) -> Labels:
    """Who is named in a normal post is not attacked."""
    labels = entry.meaning("label", name, CLASSES)
    return Labels(labels=labels, targets=(targets or None) if labels["abuse"] else ())


def _rationale(tokens: Sequence[str], rationales: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int]]:
    """Runs of tokens that at least `AGREED` annotators marked, as offsets into the joined tokens."""
    start: int | None = None
    at = 0
    for place, token in enumerate(tokens):
        marked = sum(bool(marks[place]) for marks in rationales if place < len(marks)) >= AGREED
        if marked and start is None:
            start = at
        elif not marked and start is not None:
            yield start, at - 1
            start = None
        at += len(token) + 1
    if start is not None:
        yield start, at - 1


HATEXPLAIN = Adapter(
    dataset="hatexplain",
    folders=("hatexplain", "HateXplain"),
    files=(*DATASET, *MAJORITY),
    licence="MIT",
    source="hate-alert/HateXplain; tokens joined with spaces; label by majority of three annotators",
    read=_read,
)
