"""Reading template files: every mistake in them is named with its file and place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schemas import ATTACKS, TARGETS

FOLDER = Path(__file__).parent
LEAD, TAIL = "lead", "tail"

SLOT = re.compile(r"\{([a-z_]+(?:\.\d+)?)\}")
"""`{group}`, and `{group.2}` for another filler of the same slot."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the sentences of one kind are, whatever fills their slots."""

    hate: bool
    abuse: bool
    implicit: bool | None = None
    """None where nobody is attacked."""
    insult: bool = False


_HATE = Kind(hate=True, abuse=True, implicit=False)
_ABUSE = Kind(hate=False, abuse=True, implicit=False)
_BENIGN = Kind(hate=False, abuse=False)

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "derogation",
            "dehumanising",
            "inferiority",
            "exclusion",
            "threat",
            "wish_harm",
            "slur_hate",
            "profane_hate",
            "pronoun_hate",
            "negated_positive",
            "rhetorical_hate",
            "denied_hate",
        ),
        _HATE,
    ),
    "stereotype_implicit": Kind(hate=True, abuse=True, implicit=True),
    "insult_person": Kind(hate=False, abuse=True, implicit=False, insult=True),
    "degrade_person": Kind(hate=False, abuse=True, implicit=False, insult=True),
    "threat_person": _ABUSE,
    "abuse_crowd": _ABUSE,
    **dict.fromkeys(
        (
            "neutral_identity",
            "praise_identity",
            "self_identity",
            "negated_hate",
            "counter_quote",
            "counter_reference",
            "news_identity",
            "profane_benign",
            "thing_hate",
            "figurative",
            "homonym",
            "everyday",
            "support_victim",
        ),
        _BENIGN,
    ),
}


class TemplateError(ValueError):
    """A template file that cannot be used: which file, where in it, what is expected."""


@dataclass(frozen=True, slots=True)
class Filler:
    """What stands in a slot, and which group it names."""

    text: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence with slots."""

    kind: str
    text: str
    attacks: tuple[str, ...] = ()
    targets: tuple[str, ...] | None = None
    """Instead of the fillers' own."""

    @property
    def slots(self) -> tuple[str, ...]:
        """As written, with their numbers: `group`, `group.2`."""
        return tuple(dict.fromkeys(SLOT.findall(self.text)))


@dataclass(frozen=True, slots=True)
class Templates:
    """One language's file."""

    lang: str
    slots: Mapping[str, tuple[Filler, ...]]
    """Leads and tails among them, under `LEAD` and `TAIL`."""
    templates: tuple[Template, ...]


def read_templates(path: Path) -> Templates:
    """Raises `TemplateError`."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path}: cannot be read: {error}") from None
    if not isinstance(tree, dict) or set(tree) != {"lang", "slots", "templates"}:
        raise TemplateError(f"{path}: expected the keys lang, slots and templates")
    slots = {
        str(name): tuple(_filler(path, f"slots.{name}[{at}]", line) for at, line in enumerate(lines))
        for name, lines in tree["slots"].items()
    }
    templates = tuple(_template(path, f"templates[{at}]", row, slots) for at, row in enumerate(tree["templates"]))
    return Templates(str(tree["lang"]), slots, templates)


def _filler(path: Path, where: str, line: Any) -> Filler:
    if not isinstance(line, str):
        raise TemplateError(f"{path}: {where}: {line!r}; expected a text, or 'text | target'")
    text, _, target = (part.strip() for part in line.partition("|"))
    if target and target not in TARGETS:
        raise TemplateError(f"{path}: {where}: no target {target!r}; expected one of {', '.join(TARGETS)}")
    return Filler(text, target or None)


def _template(path: Path, where: str, row: Any, slots: Mapping[str, tuple[Filler, ...]]) -> Template:
    if not isinstance(row, dict) or not {"kind", "text"} <= set(row) <= {"kind", "text", "attacks", "targets"}:
        raise TemplateError(f"{path}: {where}: expected the keys kind and text, and perhaps attacks and targets")
    attacks, targets = tuple(row.get("attacks") or ()), row.get("targets")
    found = Template(row["kind"], str(row["text"]), attacks, None if targets is None else tuple(targets))
    if found.kind not in KINDS:
        raise TemplateError(f"{path}: {where}: no kind {found.kind!r}; expected one of {', '.join(KINDS)}")
    if odd := set(attacks) - set(ATTACKS):
        raise TemplateError(f"{path}: {where}: no attack {', '.join(odd)}; expected some of {', '.join(ATTACKS)}")
    if odd := set(targets or ()) - set(TARGETS):
        raise TemplateError(f"{path}: {where}: no target {', '.join(odd)}; expected some of {', '.join(TARGETS)}")
    for slot in found.slots:
        name, _, number = slot.partition(".")
        if len(slots.get(name, ())) < int(number or 1):
            raise TemplateError(f"{path}: {where}: nothing to fill {{{slot}}} with; expected fillers in slots.{name}")
    if "{" in SLOT.sub("", found.text) or "}" in SLOT.sub("", found.text):
        raise TemplateError(f"{path}: {where}: a brace that is no slot; expected {{name}} or {{name.2}}")
    return found
