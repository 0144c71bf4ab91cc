"""The Hateful Memes Challenge, and its fine-grained labels of the WOAH 2021 shared task.

Kiela et al. 2020, The Hateful Memes Challenge; Mathias et al. 2021, Findings of the WOAH 5 Shared Task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models_export.datasets.adapters.adapter import HATE_ONLY, Adapter, Folder, hateful, in_order
from models_export.datasets.manifest import NOT_JUDGED, Labels, Row, Split
from models_export.datasets.source import Entry, json_lines
from schemas import ATTACKS

PARTS: Mapping[str, Split] = {
    "train": "train",
    "dev": "dev",
    "dev_seen": "dev",
    "dev_unseen": "dev",
    "test": "test",
    "test_seen": "test",
    "test_unseen": "test",
}
"""Parts of both phases; those of the second (`seen`, `unseen`) share memes."""

BINARY = {"0": False, "1": True}
HATEFUL = {"not_hateful": False, "hateful": True}
NO_TARGET, NO_ATTACK = "pc_empty", "attack_empty"
PROTECTED = {name: name for name in ("religion", "race", "sex", "nationality", "disability")} | {
    "class": "other",  # in votes alone
    NO_TARGET: None,
}
ATTACK = {name: name for name in ATTACKS} | {NO_ATTACK: None}


def _memes(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    seen: set[str] = set()
    for part, split in PARTS.items():
        path = folder.file(f"{part}.jsonl")
        for entry in json_lines(path) if path else ():
            identity = entry.text("id")
            if identity in seen:
                continue
            seen.add(identity)
            known = entry.fields.get("label") is not None  # the first phase's test part has none
            yield adapter.row(
                identity,
                split=split,
                text=entry.text("text"),
                text_from="picture",
                media=folder.media(entry.text("img")),
                labels=hateful(entry.mapped("label", BINARY), None) if known else NOT_JUDGED,
                source_labels=(entry.text("label"),) if known else (),
                facts={"part": part},
            )


def _fine_grained(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    seen: set[str] = set()
    for part, split in PARTS.items():
        path = folder.file(f"data/annotations/{part}.json", f"annotations_{part}.json", f"{part}.json")
        for entry in json_lines(path) if path else ():
            identity = entry.text("id")
            if identity in seen:
                continue
            seen.add(identity)
            hate = any(entry.meaning("gold_hate", label, HATEFUL) for label in entry.listed("gold_hate"))
            gold_pc, gold_attack = entry.listed("gold_pc"), entry.listed("gold_attack")
            yield adapter.row(
                identity,
                split=split,
                text=entry.text("text"),
                text_from="picture",
                media=folder.media(entry.text("img")),
                labels=_labels(entry, hate, gold_pc, gold_attack),
                votes=tuple(_votes(entry)),
                source_labels=tuple(map(str, (*entry.listed("gold_hate"), *gold_pc, *gold_attack))),
                facts={"part": part},
            )


def _labels(entry: Entry, hate: bool, protected: list[Any], attacks: list[Any]) -> Labels:
    """Hate of which the annotators did not agree whom it hits, or how, leaves that open."""
    whom = {entry.meaning("pc", name, PROTECTED) for name in protected} - {None}
    how = {entry.meaning("attack", name, ATTACK) for name in attacks} - {None}
    told = hateful(hate)
    return Labels(
        labels=told.labels,
        targets=in_order({str(name) for name in whom}) or (None if hate else ()),
        attacks=tuple(name for name in ATTACKS if name in how) or (None if hate else ()),
    )


def _votes(entry: Entry) -> Iterator[Labels]:
    """Of up to three annotators; memes that nobody called hateful have none."""
    if not isinstance(entry.fields.get("pc"), list):
        return
    protected, attacks = entry.lists("pc"), entry.lists("attack")
    for at in range(max(len(protected), len(attacks))):
        whom = protected[at] if at < len(protected) else []
        how = attacks[at] if at < len(attacks) else []
        yield _labels(entry, bool({*whom, *how} - {NO_TARGET, NO_ATTACK}), whom, how)


HATEFUL_MEMES = Adapter(
    dataset="hateful_memes",
    folders=("hateful_memes",),
    files=("train.jsonl", "dev.jsonl", "dev_seen.jsonl"),
    licence="Hateful Memes Dataset License Agreement: research only, not to be passed on",
    source=f"Facebook AI, Hateful Memes Challenge; label of the whole meme; {HATE_ONLY}",
    read=_memes,
)
FINE_GRAINED = Adapter(
    dataset="fine_grained_hateful_memes",
    folders=("fine_grained_hateful_memes", "woah"),
    files=("data/annotations/train.json", "annotations_train.json", "train.json"),
    licence="Apache-2.0 (annotations); pictures under the Hateful Memes Dataset License Agreement",
    source=f"facebookresearch/fine_grained_hateful_memes; labels of the whole meme; {HATE_ONLY}",
    read=_fine_grained,
)
