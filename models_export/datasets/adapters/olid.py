"""OLID, the Offensive Language Identification Dataset (Zampieri et al. 2019), OffensEval 2019."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models_export.datasets.adapters.adapter import Adapter, Folder
from models_export.datasets.manifest import Labels, Row
from models_export.datasets.source import Entry, opened, table

TRAINING, TEST, TEST_LABELS = "olid-training-v1.0.tsv", "testset-levela.tsv", "labels-levela.csv"
NONE = "NULL"

OFFENSIVE = {"OFF": True, "NOT": False}
TARGETED = {"TIN": True, "UNT": False, NONE: None}
AT: Mapping[str, dict[str, bool]] = {"IND": {"insult": True}, "GRP": {}, "OTH": {}, NONE: {}}
"""An insult at one person is ours; at groups (`GRP`) it may be hate or not, which the set does not tell apart."""


def _read(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    training = folder.file(TRAINING)
    for entry in table(training, "\t") if training else ():
        labels = entry.mapped("subtask_a", OFFENSIVE), entry.mapped("subtask_b", TARGETED)
        yield adapter.row(
            entry.text("id"),
            split="train",
            text=entry.text("tweet"),
            labels=_labels(*labels, entry.mapped("subtask_c", AT)),
            source_labels=tuple(entry.text(name) for name in ("subtask_a", "subtask_b", "subtask_c")),
        )
    test, later = folder.file(TEST), folder.file(TEST_LABELS)
    if test is None or later is None:
        return
    with opened(later) as file:
        label_of = {identity: label for identity, _, label in (line.strip().partition(",") for line in file)}
    for entry in table(test, "\t"):
        told = Entry(entry.place, {"subtask_a": label_of.get(entry.text("id"), "")})
        yield adapter.row(
            entry.text("id"),
            split="test",
            text=entry.text("tweet"),
            labels=_labels(told.mapped("subtask_a", OFFENSIVE), None, {}),
            source_labels=(told.text("subtask_a"),),
        )


def _labels(offensive: bool, targeted: bool | None, at: dict[str, bool]) -> Labels:
    """Offence without a target is swearing."""
    swearing = {"profanity": True} if targeted is False else {}
    return Labels(labels={"abuse": offensive, **swearing, **at}, targets=None if offensive else ())


OLID = Adapter(
    dataset="olid",
    folders=("olid", "OLID", "OLIDv1.0"),
    files=(TRAINING,),
    licence="none stated; the public OffensEval 2019 release asks for citation",
    source="Zampieri et al. 2019, OLID v1.0; user names and links are masked as @USER and URL",
    read=_read,
)
