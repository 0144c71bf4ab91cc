"""Whether a template that the product trains on says what a sentence of a diagnostic suite says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models_export.datasets.fingerprints import NEAR, jaccard, normalised, shingles
from models_export.datasets.manifest import Row

SLOT = re.compile(r"\{[a-z_.0-9]+\}|\[[A-Za-z_\-]+\]")
"""Ours are `{group}`, those of the suites `[IDENTITY_P]`."""

HOLE = "□"
"""Stands for any slot: no punctuation, so that `normalised` keeps it."""

MAX_FILLER = 40
"""Characters of a slot's text."""

LEAST_FIXED = 8
"""Characters outside its slots below which a template says too little to be anybody's: a few words of every day."""

TEMPLATES = ("case_templ", "male_case_templ")
"""Where rows of the suites have theirs."""


@dataclass(frozen=True, slots=True)
class Leak:
    lang: str
    template: int
    """Place among the templates of its language, from 0: texts are not repeated in reports."""
    row: str
    """Id of the diagnostic row."""
    how: str


@dataclass(frozen=True, slots=True)
class Form:
    """A sentence, or the template that it was made from."""

    row: str
    shingles: frozenset[str]


def template_leaks(templates: Iterable[tuple[str, str]], diagnostic: Sequence[Row]) -> Iterator[Leak]:
    """For each template (language, text with slots) the first diagnostic row of its language that is nearly the same.

    It is where some filling of the slots gives the sentence, or where template and template are alike (`NEAR`), or the
    template and the sentence are.
    """
    sentences: dict[str, list[tuple[str, str]]] = defaultdict(list)
    forms: dict[str, dict[str, Form]] = defaultdict(dict)
    for row in diagnostic:
        text = normalised(row.text)
        sentences[row.lang].append((text, row.id))
        for form in (row.facts.get(name) for name in TEMPLATES):
            if form is not None:
                forms[row.lang].setdefault(form, Form(row.id, shingles(_holed(form))))
        forms[row.lang].setdefault(row.text, Form(row.id, shingles(text)))
    counts: dict[str, int] = defaultdict(int)
    for lang, text in templates:
        place = counts[lang]
        counts[lang] += 1
        holed = _holed(text)
        if len(holed.replace(HOLE, "").replace(" ", "")) < LEAST_FIXED:
            continue
        filled = re.compile(f".{{1,{MAX_FILLER}}}".join(re.escape(part) for part in holed.split(HOLE)))
        same = next((row for sentence, row in sentences[lang] if filled.fullmatch(sentence)), None)
        if same is not None:
            yield Leak(lang, place, same, "some filling of it is the sentence")
            continue
        mine = shingles(holed)
        near = next((form for form in forms[lang].values() if jaccard(mine, form.shingles) >= NEAR), None)
        if near is not None:
            yield Leak(lang, place, near.row, "it is nearly the sentence or its template")


def _holed(text: str) -> str:
    return normalised(SLOT.sub(f" {HOLE} ", text))
