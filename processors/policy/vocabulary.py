"""What a rule may speak of: the paths of the facts, the kind of value at each, and the functions that are allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from processors.policy.languages import EXPECTED_LANGUAGE, LANGUAGES
from processors.policy.problems import expected, quote
from schemas import GRADED_SEVERITIES, LABELS, MODALITIES, REFINED_LABEL, TARGETS, Priority, Status

LANG_UNSUPPORTED = "lang.unsupported"
"""Set by the stage that knows the pack: the pack was neither trained nor measured for the post's language."""

INTERACTION_EMERGENT = "interaction.emergent"
"""Set by fuse: every part of the post alone is under the threshold of a label, and the whole is over it."""

INTERACTION_NEUTRALISED = "interaction.neutralised"
"""Set by fuse: a part alone is over the threshold of a label, and the whole is not."""

KNOWN_CONTENT = "known."
"""Begins the flags of known content: `known.<list>`."""


def known_flag(hash_list: str) -> str:
    """The flag of a post with a media item that is on a list of known content."""
    return f"{KNOWN_CONTENT}{hash_list}"


REFINEMENTS = tuple(f"{REFINED_LABEL}.{target}" for target in TARGETS)
SEVERITIES = {f"severity.{least}": least for least in GRADED_SEVERITIES}
"""What thresholds call it -> the severity that a post has at least."""
KNOWN_FLAGS = (*LABELS, *REFINEMENTS, LANG_UNSUPPORTED, INTERACTION_EMERGENT, INTERACTION_NEUTRALISED)
"""What the flags of the facts can be, besides `known.<list>`; the flags that rules add are not among them."""

MEDIA_KINDS = ("image", "video", "audio")

FUNCTIONS = ("has", "size", "int", "double", "string")
"""Called by name. `matches` is left out: it compiles its pattern anew for every post."""

METHODS = ("size", "contains", "startsWith", "endsWith")
MACROS = ("exists", "all", "exists_one", "filter")


class Kind(Enum):
    """The kinds of value a path leads to."""

    PROBABILITY = auto()
    NUMBER = auto()
    TEXT = auto()
    TEXTS = auto()


@dataclass(frozen=True, slots=True)
class Leaf:
    """What stands at the end of a path. `check` says what is wrong with a text it is compared with, or None."""

    kind: Kind
    check: Callable[[str], str | None] | None = None


class UnknownPath(ValueError):
    """A path that no fact has; the message says what is expected."""


Path = tuple[str, ...]


def _one_of(what: str, options: tuple[str, ...]) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        return None if text in options else f"no {what} is {quote(text)}; {expected(text, options)}"

    return check


def _flag(text: str) -> str | None:
    is_list = text.startswith(KNOWN_CONTENT) and text != KNOWN_CONTENT
    return None if is_list else _one_of("flag", KNOWN_FLAGS)(text)


def _language(text: str) -> str | None:
    return None if text in LANGUAGES else f"{quote(text)} is no language code; expected {EXPECTED_LANGUAGE}"


PRIORITIES = tuple(priority.value for priority in Priority)

POST_FIELDS: dict[str, Leaf] = {
    "tenant": Leaf(Kind.TEXT),
    "region": Leaf(Kind.TEXT),
    "platform": Leaf(Kind.TEXT),
    "account_type": Leaf(Kind.TEXT),
    "reach": Leaf(Kind.NUMBER),
    "priority": Leaf(Kind.TEXT, _one_of("priority", PRIORITIES)),
    "lang": Leaf(Kind.TEXT, _language),
    "kinds": Leaf(Kind.TEXTS, _one_of("kind of media", MEDIA_KINDS)),
    "text_length": Leaf(Kind.NUMBER),
}

MODALITY_FIELDS: dict[str, Leaf] = {
    "status": Leaf(Kind.TEXT, _one_of("status", tuple(status.value for status in Status))),
    "score": Leaf(Kind.PROBABILITY),
    "confidence": Leaf(Kind.PROBABILITY),
    "weight": Leaf(Kind.PROBABILITY),
}

ROOTS = ("scores", "flags", "post", "modalities", "severity", "features")

_SCORE = Leaf(Kind.PROBABILITY)
_FEATURE = Leaf(Kind.NUMBER)
_FLAGS = Leaf(Kind.TEXTS, _flag)
_SEVERITY = Leaf(Kind.NUMBER)


def leaf_at(path: Path, features: frozenset[str] | None) -> Leaf:
    """The leaf at `path`. `features` are the names that posts have, None where they are not known.

    Raises `UnknownPath` for one that leads nowhere, not far enough or too far.
    """
    root = path[0]
    if root == "flags":
        return _ends(path, 1, _FLAGS)
    if root == "severity":
        return _ends(path, 1, _SEVERITY)
    if root == "scores":
        _known(path, 1, "label", LABELS)
        return _ends(path, 2, _SCORE)
    if root == "features":
        if len(path) == 1 or features is not None:
            _known(path, 1, "feature", tuple(sorted(features or ())) or ("<name>",))
        return _ends(path, 2, _FEATURE)
    if root == "post":
        _known(path, 1, "field", tuple(POST_FIELDS))
        return _ends(path, 2, POST_FIELDS[path[1]])
    if root == "modalities":
        _known(path, 1, "modality", MODALITIES)
        _known(path, 2, "field", tuple(MODALITY_FIELDS))
        return _ends(path, 3, MODALITY_FIELDS[path[2]])
    raise UnknownPath(f"no fact is called {quote(root)}; {expected(root, ROOTS)}")


def _known(path: Path, index: int, what: str, options: tuple[str, ...]) -> None:
    place = ".".join(path[:index])
    if len(path) <= index:
        example = f"{place}.<{what}>, such as {place}.{options[0]}"
        raise UnknownPath(f"{place} is a group of facts; expected {example}")
    if path[index] not in options:
        raise UnknownPath(f"{place} has no {what} {quote(path[index])}; {expected(path[index], options)}")


def _ends(path: Path, length: int, leaf: Leaf) -> Leaf:
    if len(path) > length:
        raise UnknownPath(f"{'.'.join(path[:length])} has no fields")
    return leaf
