"""Message templates: what the author of a post and a reviewer read of a rule, by language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from processors.policy.problems import expected, quote

FALLBACK_LANGUAGE = "en"
"""Every message has this one, so that there is always a text."""

PLACEHOLDERS = ("label", "score", "threshold", "category")
"""What a template may hold, in braces. All are about the rule's leading label."""

MAX_MESSAGE_CHARS = 500

_UNPRINTABLE = re.compile(r"[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]")  # all but line feeds
_PART = re.compile(r"\{([^{}]*)\}")


class TemplateProblem(ValueError):
    """What is wrong with a template, and at which offset."""

    def __init__(self, at: int, message: str) -> None:
        self.at = at
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with holes: `literals` stand around `names`, one more than there are names."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with each hole filled. Values are put in as they are: nothing in them is looked at again."""
        if not self.names:
            return self.literals[0]
        filled = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            filled += (values[name], literal)
        return "".join(filled)

    @property
    def source(self) -> str:
        return self.fill({name: f"{{{name}}}" for name in self.names})


def parse_template(text: str) -> Template:
    """The template in `text`. Raises `TemplateProblem`."""
    if not text.strip():
        raise TemplateProblem(0, "an empty message; expected a text")
    if len(text) > MAX_MESSAGE_CHARS:
        raise TemplateProblem(0, f"a message of {len(text):,} characters; expected at most {MAX_MESSAGE_CHARS}")
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        raise TemplateProblem(
            unprintable.start(), f"a message with {quote(unprintable[0])}; expected printable characters"
        )
    literals: list[str] = []
    names: list[str] = []
    end = 0
    for part in _PART.finditer(text):
        if part[1] not in PLACEHOLDERS:
            raise TemplateProblem(part.start(), f"no placeholder {quote(part[0])}; {expected(part[1], PLACEHOLDERS)}")
        literals.append(text[end : part.start()])
        names.append(part[1])
        end = part.end()
    literals.append(text[end:])
    for literal in literals:
        if "{" in literal or "}" in literal:
            at = text.index(literal) + min(i for i, character in enumerate(literal) if character in "{}")
            raise TemplateProblem(at, "a brace that belongs to no placeholder such as {label}")
    return Template(tuple(literals), tuple(names))
