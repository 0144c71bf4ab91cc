"""Drawing sentences from templates, with what they say of each head."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models_export.text_expert.functional.templates import (
    FOLDER,
    KINDS,
    LEAD,
    SLOT,
    TAIL,
    Filler,
    Template,
    Templates,
    read_templates,
)

OPENED = 0.2
CLOSED = 0.25
"""Shares of the sentences that get an opener, and a closer."""

UNSPACED = ("zh",)
"""Languages that put no space between a sentence and what opens or closes it."""

ENGLISH = "en"
ENGLISH_SHARE = 0.3
"""Of all sentences; the other languages share the rest evenly."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sentence as it is trained on."""

    lang: str
    text: str
    template: Template
    targets: tuple[str, ...]


class Functional:
    """The templates of several languages. Within a language every kind is as likely as any other."""

    def __init__(self, files: Sequence[Templates]) -> None:
        if not files:
            raise ValueError("no template files; expected at least one")
        self.files = tuple(files)
        self._weights = [_share(file.lang, [other.lang for other in files]) for file in files]
        self._kinds = [
            {kind: [template for template in file.templates if template.kind == kind] for kind in KINDS}
            for file in files
        ]

    @staticmethod
    def shipped(folder: Path = FOLDER) -> Functional:
        """All the files of `folder`. Raises `TemplateError`."""
        return Functional([read_templates(path) for path in sorted(folder.glob("*.yaml"))])

    def draw(self, rng: random.Random) -> Drawn:
        at = rng.choices(range(len(self.files)), self._weights)[0]
        chosen = rng.choice([templates for templates in self._kinds[at].values() if templates])
        return fill(self.files[at], rng.choice(chosen), rng)


def fill(file: Templates, template: Template, rng: random.Random) -> Drawn:
    """One sentence of a template: its slots filled, different numbers of a slot differently."""
    fillers: dict[str, Filler] = {}
    for name, slots in sorted(template.by_name.items()):
        fillers |= zip(slots, rng.sample(file.slots[name], len(slots)), strict=True)
    text = SLOT.sub(lambda match: fillers[match[1]].text, template.text)
    gap = "" if file.lang in UNSPACED else " "
    if rng.random() < OPENED and file.slots.get(LEAD):
        text = f"{rng.choice(file.slots[LEAD]).text}{gap}{text}"
    else:
        text = text[:1].upper() + text[1:] if template.text.startswith("{") else text
    if rng.random() < CLOSED and file.slots.get(TAIL):
        text = f"{text}{gap}{rng.choice(file.slots[TAIL]).text}"
    named = tuple(dict.fromkeys(filler.target for filler in fillers.values() if filler.target))
    return Drawn(file.lang, text, template, named if template.targets is None else template.targets)


def all_templates(folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """(language, sentence with its slots) of every template."""
    for path in sorted(folder.glob("*.yaml")):
        file = read_templates(path)
        for template in file.templates:
            yield file.lang, template.text


def _share(lang: str, langs: Sequence[str]) -> float:
    others = len(langs) - (ENGLISH in langs)
    if ENGLISH not in langs or not others:
        return 1 / len(langs)
    return ENGLISH_SHARE if lang == ENGLISH else (1 - ENGLISH_SHARE) / others
