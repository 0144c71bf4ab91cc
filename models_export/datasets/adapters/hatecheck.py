"""The functional suites, which measure and never train.

Röttger et al. 2021, HateCheck; Röttger et al. 2022, Multilingual HateCheck; Kirk et al. 2022, Hatemoji.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models_export.datasets.adapters.adapter import Adapter, Folder, hateful
from models_export.datasets.manifest import Row
from models_export.datasets.source import Entry, find, table
from models_export.evaluation.hatecheck import LANGUAGES

CASES = ("test_suite_cases.csv", "all_cases.csv")
EMOJI = ("HatemojiCheck_test.csv", "test.csv")

GOLD = {"hateful": True, "non-hateful": False, "1": True, "0": False}
TARGET_OF: Mapping[str, str | None] = {
    "": None,
    "None": None,
    "none": None,
    "women": "sex",
    "trans people": "sex",
    "gay people": "sexual_orientation",
    "black people": "race",
    "Black people": "race",
    "asian people": "race",
    "indigenous people": "race",
    "disabled people": "disability",
    "Muslims": "religion",
    "jews": "religion",
    "Jews": "religion",
    "jewish people": "religion",
    "immigrants": "nationality",
    "refugees": "nationality",
    "foreigners": "nationality",
    "North-East Indians": "nationality",
    "Lower Caste": "other",
}
FACTS = ("functionality", "direction", "templ_id", "case_templ", "male_case_templ", "set")
"""Columns that figures are grouped by, where a file has them."""


def _english(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    path = folder.file(*CASES)
    for entry in table(path) if path else ():
        yield _case(adapter, entry, entry.text("case_id"), adapter.lang, "target_ident", "test_case")


def _multilingual(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    for name, lang in LANGUAGES.items():
        path = find(folder.path, f"hatecheck_cases_final_{name}.csv")
        for entry in table(path) if path else ():
            yield _case(adapter, entry, entry.text("mhc_case_id"), lang, "target_ident", "test_case")


def _emoji(adapter: Adapter, folder: Folder) -> Iterator[Row]:
    path = folder.file(*EMOJI)
    for entry in table(path) if path else ():
        yield _case(adapter, entry, entry.text("case_id"), adapter.lang, "target", "text")


def _case(adapter: Adapter, entry: Entry, identity: str, lang: str, target: str, text: str) -> Row:
    whom = entry.mapped(target, TARGET_OF)
    hate = entry.mapped("label_gold", GOLD)
    facts = {name: value for name in FACTS if (value := entry.maybe(name)) is not None}
    group = entry.maybe(target)
    return adapter.row(
        identity,
        split="diagnostic",
        lang=lang,
        text=entry.text(text).strip(),
        labels=hateful(hate, None if whom is None else (whom,)),
        source_labels=(entry.text("label_gold"),),
        facts={**facts, **({"target": group} if group else {})},
    )


HATECHECK = Adapter(
    dataset="hatecheck",
    folders=("hatecheck", "hatecheck-data"),
    files=CASES,
    licence="CC BY 4.0",
    source="paul-rottger/hatecheck-data; sentences made from templates",
    read=_english,
)
MULTILINGUAL_HATECHECK = Adapter(
    dataset="multilingual_hatecheck",
    folders=("multilingual_hatecheck", "multilingual-hatecheck"),
    files=tuple(f"hatecheck_cases_final_{name}.csv" for name in LANGUAGES),
    licence="CC BY 4.0",
    source="rewire-online/multilingual-hatecheck; sentences made from templates",
    read=_multilingual,
)
HATEMOJICHECK = Adapter(
    dataset="hatemojicheck",
    folders=("hatemojicheck", "HatemojiCheck"),
    files=EMOJI,
    licence="CC BY 4.0",
    source="HannahKirk/Hatemoji, HatemojiCheck; sentences made from templates",
    read=_emoji,
)
