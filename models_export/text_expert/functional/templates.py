"""Reading template files: every mistake in them is named with its file and place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
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


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence with slots."""

    kind: str
    text: str
    attacks: tuple[str, ...] = ()
    targets: tuple[str, ...] | None = None
    """Instead of the fillers' own."""

    @property
    def by_name(self) -> dict[str, list[str]]:
        """Slots as written, with their numbers, by the name of their fillers: `group` -> `group`, `group.2`."""
        found: dict[str, list[str]] = {}
        for slot in dict.fromkeys(SLOT.findall(self.text)):
            found.setdefault(slot.partition(".")[0], []).append(slot)
        return found


@dataclass(frozen=True, slots=True)
class Templates:
    """One language's file."""

    lang: str
    slots: Mapping[str, tuple[Filler, ...]]
    """Leads and tails among them, under `LEAD` and `TAIL`."""
    templates: tuple[Template, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A file as it is written."""

    lang: str
    slots: dict[str, list[str]]
    templates: list[Template]


def read_templates(path: Path) -> Templates:
    """Raises `TemplateError`."""
    try:
        # PyYAML first: msgspec's own reading says of broken YAML nothing but that it is.
        tree: object = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = msgspec.convert(tree, _File)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path}: cannot be read: {error}") from None
    except msgspec.ValidationError as error:
        raise TemplateError(f"{path}: {error}") from None
    slots = {
        name: tuple(_filler(path, f"slots.{name}[{at}]", line) for at, line in enumerate(lines))
        for name, lines in file.slots.items()
    }
    templates = tuple(_template(path, f"templates[{at}]", row, slots) for at, row in enumerate(file.templates))
    return Templates(file.lang, slots, templates)


def _filler(path: Path, where: str, line: str) -> Filler:
    text, _, target = (part.strip() for part in line.partition("|"))
    if not text:
        raise TemplateError(f"{path}: {where}: {line!r}; expected a text, or 'text | target'")
    if target and target not in TARGETS:
        raise TemplateError(f"{path}: {where}: no target {target!r}; expected one of {', '.join(TARGETS)}")
    return Filler(text, target or None)


def _template(path: Path, where: str, found: Template, slots: Mapping[str, tuple[Filler, ...]]) -> Template:
    if found.kind not in KINDS:
        raise TemplateError(f"{path}: {where}: no kind {found.kind!r}; expected one of {', '.join(KINDS)}")
    if odd := set(found.attacks) - set(ATTACKS):
        raise TemplateError(f"{path}: {where}: no attack {', '.join(odd)}; expected some of {', '.join(ATTACKS)}")
    if odd := set(found.targets or ()) - set(TARGETS):
        raise TemplateError(f"{path}: {where}: no target {', '.join(odd)}; expected some of {', '.join(TARGETS)}")
    for name, those in found.by_name.items():
        if len(slots.get(name, ())) < len(those):
            wanted = f"expected at least {len(those)} fillers in slots.{name}"
            raise TemplateError(f"{path}: {where}: nothing to fill {{{those[-1]}}} with; {wanted}")
    if "{" in SLOT.sub("", found.text) or "}" in SLOT.sub("", found.text):
        raise TemplateError(f"{path}: {where}: a brace that is no slot; expected {{name}} or {{name.2}}")
    return found
