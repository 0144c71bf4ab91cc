"""A rule's condition: checked, compiled once, and evaluated for every decision."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import cel

from processors.policy.comparisons import check_comparisons
from processors.policy.facts import sample_variables
from processors.policy.references import Reference, find_references
from processors.policy.tokens import ExpressionProblem, tokenise
from processors.policy.vocabulary import Path
from schemas import LABELS

# What the CEL library raises when a fact is missing, has another type, overflows or divides by zero. A panic of the
# library is no Exception: it ends the stage's batch as any crash does, and nothing is decided.
_CEL_ERRORS = (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError)

_CEL_MESSAGE = re.compile(r"ERROR: <input>:(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<said>[^\n]*)")


class EvaluationFailed(Exception):
    """A condition that gives no answer for these facts: neither yes nor no may be assumed."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition over the facts. Pure, and safe to evaluate on several threads."""

    source: str
    paths: frozenset[Path]
    """The facts that it speaks of."""
    labels: tuple[str, ...]
    """The labels that it reads as scores or flags, in the taxonomy's order."""
    warnings: tuple[tuple[int, str], ...]
    """Offset and message of what is allowed and surely not meant."""
    program: cel.Program

    def holds(self, context: cel.Context, scored: Collection[str]) -> bool:
        """Whether the condition holds in `context`, the facts as CEL variables.

        `scored` are the labels with a score. A condition that hangs on the score of another label does not hold
        (`a || b` still does when the other side is true). Raises `EvaluationFailed`.
        """
        try:
            result = self.program.execute(context)
        except KeyError as error:
            name = error.args[0] if error.args else ""
            if name not in scored and ("scores", name) in self.paths and ("features", name) not in self.paths:
                return False
            raise EvaluationFailed(f"no fact {name!r}") from None
        except _CEL_ERRORS as error:
            raise EvaluationFailed(_first_sentence(str(error))) from None
        if not isinstance(result, bool):
            raise EvaluationFailed(f"gives a {type(result).__name__}, expected true or false")
        return result


def compile_expression(source: str, features: frozenset[str] | None = None) -> Expression:
    """Checks and compiles a condition; `features` are the names that posts have, None where they are not known.

    Raises `ExpressionProblem` with the offset of what is wrong.
    """
    tokens = tokenise(source)
    program = _compile(source)  # before the names: what follows reads tokens that CEL has found to be in order
    references = find_references(tokens, features)
    warnings = check_comparisons(tokens, references)
    expression = Expression(
        source=source,
        paths=frozenset(reference.path for reference in references),
        labels=_labels(references),
        warnings=tuple(warnings),
        program=program,
    )
    _try(expression)
    return expression


def _labels(references: list[Reference]) -> tuple[str, ...]:
    read = {reference.path[1] for reference in references if reference.path[0] == "scores"}
    read |= {(reference.member or "").partition(".")[0] for reference in references if reference.path == ("flags",)}
    return tuple(label for label in LABELS if label in read)


def _compile(source: str) -> cel.Program:
    try:
        return cel.compile(source)
    except ValueError as error:
        raise _compile_problem(source, str(error)) from None


def _compile_problem(source: str, text: str) -> ExpressionProblem:
    """The library tells several errors at once, those of its own inner steps among them: a syntax error says most."""
    found = sorted(_CEL_MESSAGE.finditer(text), key=lambda match: not match["said"].startswith("Syntax error"))
    if not found:
        return ExpressionProblem(0, _first_sentence(text))
    line, column = int(found[0]["line"]), int(found[0]["column"])
    offset = sum(len(before) + 1 for before in source.split("\n")[: line - 1]) + column - 1
    said = found[0]["said"].split(" expecting ")[0].replace("'<EOF>'", "the end")
    return ExpressionProblem(min(max(offset, 0), len(source)), said)


def _try(expression: Expression) -> None:
    """Type errors that can be had without a post are had now."""
    for variables in sample_variables(expression.paths):
        try:
            expression.holds(cel.Context(variables=variables), LABELS)
        except EvaluationFailed as error:
            raise ExpressionProblem(0, f"the condition fails: {error}") from None


def _first_sentence(text: str) -> str:
    """The library's messages end in advice that does not fit here."""
    return text.split("\n", 1)[0].split(". ", 1)[0][:200]
