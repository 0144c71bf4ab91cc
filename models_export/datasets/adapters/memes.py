"""Two small sets of memes with pictures: religiously hateful ones, and persuasion techniques in political ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models_export.datasets.adapters.adapter import HATE_ONLY, Adapter, Folder, hateful
from models_export.datasets.manifest import NOT_JUDGED, Labels, Row, Split
from models_export.datasets.source import Entry, json_lines

FILE = "labels.jsonl"
SPLITS: Mapping[str, Split] = {"train": "train", "dev": "dev", "test": "test"}
HATEFUL = {"0": False, "1": True, "False": False, "True": True}

TECHNIQUES: Mapping[str, Labels] = dict.fromkeys(
    (
        "Appeal to (Strong) Emotions",
        "Appeal to authority",
        "Appeal to fear/prejudice",
        "Bandwagon",
        "Black-and-white Fallacy/Dictatorship",
        "Causal Oversimplification",
        "Doubt",
        "Exaggeration/Minimisation",
        "Flag-waving",
        "Glittering generalities (Virtue)",
        "Loaded Language",
        "Misrepresentation of Someone's Position (Straw Man)",
        "Name calling/Labeling",
        "Obfuscation, Intentional vagueness, Confusion",
        "Presenting Irrelevant Data (Red Herring)",
        "Reductio ad hitlerum",
        "Repetition",
        "Slogans",
        "Smears",
        "Thought-terminating cliché",
        "Transfer",
        "Whataboutism",
    ),
    NOT_JUDGED,
)
"""Dimitrov et al. 2021. A technique of persuasion says nothing of abuse."""


def _religious(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    for entry in _entries(folder):
        hate = entry.mapped("label", HATEFUL)
        yield adapter.row(
            entry.text("id"),
            **_common(entry, folder),
            labels=hateful(hate, ("religion",)),
            source_labels=(entry.text("label_name", "label"),),
        )


def _propaganda(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    for entry in _entries(folder):
        names = entry.listed("labels")
        for name in names:
            entry.meaning("labels", name, TECHNIQUES)
        yield adapter.row(entry.text("id"), **_common(entry, folder), source_labels=tuple(map(str, names)))


def _entries(folder: Folder) -> Iterator[Entry]:
    path = folder.file(FILE)
    return json_lines(path) if path else iter(())


def _common(entry: Entry, folder: Folder) -> dict[str, object]:
    return {
        "split": entry.mapped("split", SPLITS),
        "text": entry.text("text"),
        "text_from": "picture",
        "media": folder.media(entry.text("image")),
        "group": entry.maybe("dup_group"),
    }


RELIGIOUS_MEMES = Adapter(
    dataset="religious_memes",
    folders=("religious", "religious_memes"),
    files=(FILE,),
    licence="none stated; a public release of its authors: research only, not to be passed on",
    source="Abdul-Rehman-J, Multimodal Religiously Hateful Memes; label of the whole meme, noisy; "
    f"whom it hits is the set's topic, not an annotation; {HATE_ONLY}",
    read=_religious,
)
PROPAGANDA_MEMES = Adapter(
    dataset="propaganda_memes",
    folders=("propaganda", "propaganda_memes"),
    files=(FILE,),
    licence="free for general research use",
    source="di-dimitrov/propaganda-techniques-in-memes, SemEval-2021 task 6; not judged for abuse",
    read=_propaganda,
)
