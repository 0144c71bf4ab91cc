"""From the nodes of a layer's `rules` to rules, noting every problem on the way."""

from __future__ import annotations

import re

from processors.policy.document import Rule
from processors.policy.expression import Expression, compile_expression
from processors.policy.messages import FALLBACK_LANGUAGE, Template, TemplateProblem, parse_template
from processors.policy.problems import Mark, quote
from processors.policy.severity import EXTREME, WEAKEST
from processors.policy.tokens import ExpressionProblem
from processors.policy.values import Values
from processors.policy.yaml_tree import Node
from schemas import LABELS, Action

RULE_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
RULE_NAME_WANTED = "a rule name of lower-case letters, digits and '-', at most 64"

_CODE = re.compile(r"[a-z][a-z0-9_]*(?:[.-][a-z0-9_]+)*")
_CODE_WANTED = "lower-case letters, digits and '_', parted by '.' or '-'"

OWN_PREFIXES = ("policy", "modality", "lang", "known", "interaction")
"""First parts of the codes and flags that modstream gives; a rule that used them would seem to be modstream."""

MAX_CODE_CHARS = 64
MAX_GUIDELINE_CHARS = 256
MAX_FLAGS = 16
"""Each flag of a decision is a message of its own."""

RULE_FIELDS = ("when", "action", "code", "guideline", "message", "flags", "severity")


class RuleReader:
    """Reads rules; `features` are the names that posts have, None where they are not known."""

    def __init__(self, values: Values, features: frozenset[str] | None) -> None:
        self._values = values
        self._log = values.log
        self._features = features

    def rules(self, node: Node | None, where: str) -> dict[str, Rule]:
        found: dict[str, Rule] = {}
        for name, mark, value in self._values.items(node, where, "a mapping of name to rule"):
            if not RULE_NAME.fullmatch(name):
                self._log.error(mark, f"{where}: {quote(name)}; expected {RULE_NAME_WANTED}")
                continue
            rule = self._rule(value, name, mark, f"{where}.{name}")
            if rule is not None:
                found[name] = rule
        return found

    def _rule(self, node: Node, name: str, mark: Mark, where: str) -> Rule | None:
        mapping = self._values.mapping(node, where, "a mapping with when, action and message")
        if mapping is None:
            return None
        fields = self._values.fields(mapping, where, RULE_FIELDS, ("when", "action", "message"))
        condition = self._condition(fields["when"], f"{where}.when") if "when" in fields else None
        action = self._values.choice(fields["action"], f"{where}.action", Action) if "action" in fields else None
        code = self._code(fields.get("code"), f"{where}.code", name)
        guideline = severity = None
        if "guideline" in fields:
            wanted = "where the guideline is, such as community#hate"
            guideline = self._values.text(fields["guideline"], f"{where}.guideline", wanted, MAX_GUIDELINE_CHARS)
        if "severity" in fields:
            severity = self._values.integer(fields["severity"], f"{where}.severity", WEAKEST, EXTREME)
        flags = self._flags(fields.get("flags"), f"{where}.flags")
        messages = self._messages(fields["message"], f"{where}.message", condition) if "message" in fields else {}
        if condition is None or action is None or code is None:
            return None
        return Rule(
            name=name,
            mark=mark,
            condition=condition,
            condition_mark=fields["when"].mark,
            action=Action(action),
            code=code,
            guideline=guideline,
            messages=messages,
            flags=flags,
            severity=severity,
        )

    def _condition(self, node: Node, where: str) -> Expression | None:
        scalar = self._values.scalar(node, where, "a condition in CEL, such as scores.hate > 0.9")
        if scalar is None:
            return None
        try:
            expression = compile_expression(scalar.text, self._features)
        except ExpressionProblem as problem:
            self._log.error(scalar.at(problem.at), f"{where}: {problem}")
            return None
        for offset, message in expression.warnings:
            self._log.warning(scalar.at(offset), f"{where}: {message}")
        return expression

    def _code(self, node: Node | None, where: str, name: str) -> str | None:
        if node is None:
            return name
        code = self._values.name(node, where, f"a code of {_CODE_WANTED}", _CODE)
        if code is None:
            return None
        if len(code) > MAX_CODE_CHARS or code.partition(".")[0] in OWN_PREFIXES:
            wanted = f"at most {MAX_CODE_CHARS} characters, not beginning with {', '.join(OWN_PREFIXES)}"
            self._log.error(node.mark, f"{where}: {quote(code)}; expected {wanted}, which modstream's own codes do")
            return None
        return code

    def _flags(self, node: Node | None, where: str) -> tuple[str, ...]:
        sequence = self._values.sequence(node, where, "a list of flags") if node is not None else None
        if sequence is None:
            return ()
        if len(sequence.items) > MAX_FLAGS:
            self._log.error(sequence.mark, f"{where}: {len(sequence.items)} flags; expected at most {MAX_FLAGS}")
        found: list[str] = []
        for item in sequence.items[:MAX_FLAGS]:
            flag = self._values.name(item, where, f"a flag of {_CODE_WANTED}", _CODE)
            if flag is None:
                continue
            first = flag.partition(".")[0]
            if first in LABELS or first in OWN_PREFIXES or len(flag) > MAX_CODE_CHARS:
                wanted = (
                    f"another name, at most {MAX_CODE_CHARS} characters: labels are flags by their thresholds alone"
                )
                self._log.error(item.mark, f"{where}: {quote(flag)}; expected {wanted}")
            elif flag not in found:
                found.append(flag)
        return tuple(found)

    def _messages(self, node: Node, where: str, condition: Expression | None) -> dict[str, Template]:
        mapping = self._values.mapping(node, where, 'a mapping of language to text, such as {en: "…"}')
        if mapping is None:
            return {}
        if FALLBACK_LANGUAGE not in mapping.entries:
            self._log.error(mapping.mark, f"{where}: {FALLBACK_LANGUAGE} is missing, which is used where no other fits")
        found: dict[str, Template] = {}
        for language, (key, value) in mapping.entries.items():
            if not self._values.is_language(language, key.mark, where):
                continue
            template = self._template(value, f"{where}.{language}", condition)
            if template is not None:
                found[language] = template
        return found

    def _template(self, node: Node, where: str, condition: Expression | None) -> Template | None:
        scalar = self._values.scalar(node, where, "a text")
        if scalar is None:
            return None
        try:
            template = parse_template(scalar.text.rstrip())
        except TemplateProblem as problem:
            self._log.error(scalar.at(problem.at), f"{where}: {problem}")
            return None
        if template.names and condition is not None and not condition.labels:
            placeholder = f"{{{template.names[0]}}}"
            self._log.error(scalar.mark, f"{where}: {placeholder} needs a label, and the condition names none")
            return None
        return template
