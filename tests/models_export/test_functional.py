"""Sentences of our own: what their files may hold, and what they say of each head."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models_export.text_expert.functional import KINDS, Functional, TemplateError, all_templates, read_templates
from models_export.text_expert.functional.drawing import fill
from models_export.text_expert.functional.templates import FOLDER

LANGUAGES = {"ar", "de", "en", "es", "fr", "hi", "it", "nl", "pl", "pt", "zh"}

SMALL = """
lang: en
slots:
  group: [bakers | other, sailors | age, "knitters"]
  lead: ["well,"]
  tail: ["right?"]
templates:
  - {kind: derogation, text: "{group} and {group.2} ruin it, {group} most.", attacks: [contempt]}
  - {kind: everyday, text: "Tea is ready."}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "en.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_file_has_sentences_of_every_kind_and_can_be_drawn_from(path: Path) -> None:
    file = read_templates(path)
    assert file.lang == path.stem
    assert {template.kind for template in file.templates} == set(KINDS)
    rng = random.Random(0)
    for template in file.templates:
        drawn = fill(file, template, rng)
        assert "{" not in drawn.text
        assert drawn.text.strip() == drawn.text


def test_the_shipped_languages_are_those_that_are_drawn() -> None:
    functional = Functional.shipped()
    rng = random.Random(0)
    assert {file.lang for file in functional.files} == LANGUAGES
    assert {functional.draw(rng).lang for _ in range(400)} == LANGUAGES


def test_no_sentence_stands_twice_in_a_language() -> None:
    found = [(lang, text.casefold()) for lang, text in all_templates()]
    assert len(found) == len(set(found))


def test_a_slot_is_the_same_filler_throughout_and_its_numbers_are_others(tmp_path: Path) -> None:
    file = read_templates(write(tmp_path, SMALL))
    for seed in range(20):
        words = fill(file, file.templates[0], random.Random(seed)).text.lower().replace("well, ", "").split()
        assert words[0] == words[5]
        assert words[2] != words[0]


def test_targets_are_those_of_the_fillers(tmp_path: Path) -> None:
    file = read_templates(write(tmp_path, SMALL))
    found = {fill(file, file.templates[0], random.Random(seed)).targets for seed in range(40)}
    assert {frozenset(targets) for targets in found} == {
        frozenset({"other", "age"}),
        frozenset({"other"}),
        frozenset({"age"}),
    }
    assert fill(file, file.templates[1], random.Random(0)).targets == ()


def test_the_same_seed_draws_the_same_sentences() -> None:
    functional = Functional.shipped()
    first, second = ([functional.draw(rng).text for _ in range(50)] for rng in (random.Random(3), random.Random(3)))
    assert first == second


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind: everyday", "kind: rude"), r"templates\[1\]: no kind 'rude'"),
        (("bakers | other", "bakers | trade"), r"slots.group\[0\]: no target 'trade'"),
        (("[contempt]", "[envy]"), r"templates\[0\]: no attack envy"),
        (("{group.2}", "{group.2} {group.3} {group.4}"), r"nothing to fill \{group.4\} with; expected at least 4"),
        (("{group.2}", "{crew.0}"), r"nothing to fill \{crew.0\} with"),
        (("{group.2}", "{crew}"), r"nothing to fill \{crew\} with"),
        (("Tea is", "Tea {is"), "a brace that is no slot"),
        (("lang: en", "language: en"), "unknown field `language`"),
        (('lead: ["well,"]', "lead:"), r"Expected `array`, got `null` - at `\$.slots\[...\]`"),
        (('["right?"]', "[5]"), r"Expected `str`, got `int` - at `\$.slots\[...\]\[0\]`"),
        (('["right?"]', '["| age"]'), r"slots.tail\[0\]: '\| age'; expected a text"),
        (("[contempt]", "contempt"), r"Expected `array`, got `str` - at `\$.templates\[0\].attacks`"),
        (("kind: everyday", "kind: [everyday]"), r"Expected `str`, got `array` - at `\$.templates\[1\].kind`"),
        (("slots:", "slots: ["), "cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        read_templates(write(tmp_path, SMALL.replace(*change)))
