"""What is wrong with a policy file, and where: problems with a line and column, collected so that all are told."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

MAX_PROBLEMS = 100
"""Enough to mend a file in one go; a file of garbage must not make a message of its own size."""

MAX_QUOTE_CHARS = 60
"""How much of a wrong value a message repeats."""


class Level(StrEnum):
    """An error keeps the policy from loading; a warning says what will not have the effect it seems to have."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the file: line and column, both counted from 1, in code points."""

    line: int
    column: int

    def right(self, columns: int) -> Mark:
        return Mark(self.line, self.column + columns)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `mark` is None where the file as a whole is meant (missing, too large)."""

    level: Level
    file: str
    mark: Mark | None
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.mark.line}:{self.mark.column}" if self.mark else self.file
        return f"{place}: {self.level}: {self.message}"


class PolicyError(Exception):
    """A policy that cannot be used. `problems` holds every finding, errors first in the message."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems if problem.level is Level.ERROR))


@dataclass(slots=True)
class ProblemLog:
    """Collects the problems of one file."""

    file: str
    problems: list[Problem] = field(default_factory=list[Problem])

    def error(self, mark: Mark | None, message: str) -> None:
        self._add(Level.ERROR, mark, message)

    def warning(self, mark: Mark | None, message: str) -> None:
        self._add(Level.WARNING, mark, message)

    def _add(self, level: Level, mark: Mark | None, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(level, self.file, mark, message))
        elif level is Level.ERROR and not self.has_errors:  # a flood of warnings must not let an error through
            self.problems[-1] = Problem(level, self.file, mark, message)

    @property
    def has_errors(self) -> bool:
        return any(problem.level is Level.ERROR for problem in self.problems)

    def in_order(self) -> list[Problem]:
        """By place in the file; what concerns the whole file first."""
        return sorted(self.problems, key=lambda problem: problem.mark or Mark(0, 0))


def quote(text: str) -> str:
    """A value as a message shows it: quoted, with control characters escaped, and cut."""
    return repr(text if len(text) <= MAX_QUOTE_CHARS else text[: MAX_QUOTE_CHARS - 1] + "…")


def expected(found: str, options: Iterable[str]) -> str:
    """`did you mean` where one of the options is near, else all of them."""
    names = tuple(map(str, options))  # an enum shows as its value
    near = difflib.get_close_matches(found[:MAX_QUOTE_CHARS], names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(names)}"
