"""From the tree of a policy file to its document, noting every problem on the way."""

from __future__ import annotations

import re

from processors.policy.document import DEFAULT_LAYER, GROUPS, Document, Layer, Marked
from processors.policy.languages import EXPECTED_LANGUAGE
from processors.policy.problems import Mark, ProblemLog, expected, quote
from processors.policy.rule_reader import RULE_NAME, RULE_NAME_WANTED, RuleReader
from processors.policy.severity import EXTREME, WEAKEST
from processors.policy.values import Values
from processors.policy.vocabulary import REFINEMENTS, SEVERITIES
from processors.policy.yaml_tree import Mapping, Node
from schemas import LABELS, Action

POLICY_SCHEMA = "policy/1"

MAX_SHORT_CHARS = 256
"""Versions, tenants and regions; as long as the names in posts may be."""

MAX_DESCRIPTION_CHARS = 2_000

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CATEGORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")

_DOCUMENT_FIELDS = ("schema", "name", "version", "description", "layers")
LAYER_FIELDS = (
    "thresholds",
    "rules",
    "disabled_rules",
    "categories",
    "severity",
    "severity_steps",
    "unsupported_language_action",
    "message_language",
)


def read_document(root: Node, log: ProblemLog, features: frozenset[str] | None) -> Document | None:
    """The document, complete if the log has no errors; None where there is nothing to go on."""
    return _Reader(log, features).document(root)


class _Reader:
    def __init__(self, log: ProblemLog, features: frozenset[str] | None) -> None:
        self._log = log
        self._values = Values(log)
        self._rules = RuleReader(self._values, features)

    def document(self, root: Node) -> Document | None:
        mapping = self._values.mapping(root, "the policy", f"a mapping with {', '.join(_DOCUMENT_FIELDS)}")
        if mapping is None:
            return None
        fields = self._values.fields(mapping, "the policy", _DOCUMENT_FIELDS, ("schema", "name", "version", "layers"))
        if "schema" in fields:
            self._values.choice(fields["schema"], "schema", (POLICY_SCHEMA,))
        name = version = description = None
        if "name" in fields:
            wanted = "a name of lower-case letters, digits, '.', '_' and '-', at most 64"
            name = self._values.name(fields["name"], "name", wanted, _NAME)
        if "version" in fields:
            version = self._values.text(fields["version"], "version", "a version such as 2026.1", MAX_SHORT_CHARS)
        if "description" in fields:
            description = self._values.text(fields["description"], "description", "a text", MAX_DESCRIPTION_CHARS)
        layers = self._layers(fields["layers"]) if "layers" in fields else {}
        return Document(name=name or "", version=version or "", description=description or "", layers=layers)

    def _layers(self, node: Node) -> dict[str, Layer]:
        wanted = "a mapping with default, and optionally tenants, regions, languages"
        mapping = self._values.mapping(node, "layers", wanted)
        if mapping is None:
            return {}
        fields = self._values.fields(mapping, "layers", (DEFAULT_LAYER, *reversed(GROUPS)), (DEFAULT_LAYER,))
        layers: list[Layer] = []
        if DEFAULT_LAYER in fields:
            mark = mapping.entries[DEFAULT_LAYER][0].mark
            layers.append(self._layer(fields[DEFAULT_LAYER], DEFAULT_LAYER, mark, "layers.default"))
        for group, word in GROUPS.items():
            where = f"layers.{group}"
            for name, mark, value in self._values.items(fields.get(group), where, f"a mapping of {word} to layer"):
                if self._check_layer_name(name, mark, where, word):
                    layers.append(self._layer(value, f"{word}:{name}", mark, f"{where}.{name}"))
        return {layer.id: layer for layer in layers}

    def _check_layer_name(self, name: str, mark: Mark, where: str, word: str) -> bool:
        if word == "language":
            return self._values.is_language(name, mark, where)
        if not name.strip() or len(name) > MAX_SHORT_CHARS or not name.isprintable():
            wanted = f"1 to {MAX_SHORT_CHARS} printable characters"
            self._log.error(mark, f"{where}: {quote(name)} is no {word}; expected {wanted}")
            return False
        return True

    def _layer(self, node: Node, layer_id: str, mark: Mark, where: str) -> Layer:
        mapping = self._values.mapping(node, where, f"a mapping with any of {', '.join(LAYER_FIELDS)}")
        if mapping is None:
            return Layer(layer_id, mark)
        fields = self._values.fields(mapping, where, LAYER_FIELDS)
        return Layer(
            id=layer_id,
            mark=mark,
            thresholds=self._thresholds(fields.get("thresholds"), f"{where}.thresholds"),
            rules=self._rules.rules(fields.get("rules"), f"{where}.rules"),
            disabled_rules=self._disabled(fields.get("disabled_rules"), f"{where}.disabled_rules"),
            categories=self._categories(fields.get("categories"), f"{where}.categories"),
            base_severity=self._severity(fields.get("severity"), f"{where}.severity"),
            severity_steps=self._steps(fields.get("severity_steps"), f"{where}.severity_steps"),
            unsupported_language_action=self._unsupported(mapping, where),
            message_language=self._message_language(mapping, where),
        )

    def _label(self, name: str, mark: Mark, where: str, options: tuple[str, ...] = LABELS) -> bool:
        if name not in options:
            self._log.error(mark, f"{where}: no label {quote(name)}; {expected(name, options)}")
        return name in options

    def _thresholds(self, node: Node | None, where: str) -> dict[str, Marked[float]]:
        found: dict[str, Marked[float]] = {}
        for name, mark, value in self._values.items(node, where, "a mapping of label to probability"):
            if self._label(name, mark, where, (*LABELS, *REFINEMENTS, *SEVERITIES)):
                probability = self._values.probability(value, f"{where}.{name}")
                if probability is not None:
                    found[name] = Marked(probability, mark)
        return found

    def _categories(self, node: Node | None, where: str) -> dict[str, Marked[str]]:
        found: dict[str, Marked[str]] = {}
        wanted = "a category of letters, digits, '.', '_', ':', '/' and '-', at most 64"
        for name, mark, value in self._values.items(node, where, "a mapping of label to category"):
            if self._label(name, mark, where):
                category = self._values.name(value, f"{where}.{name}", wanted, _CATEGORY)
                if category is not None:
                    found[name] = Marked(category, mark)
        return found

    def _severity(self, node: Node | None, where: str) -> dict[str, Marked[int]]:
        found: dict[str, Marked[int]] = {}
        for name, mark, value in self._values.items(node, where, "a mapping of label to base severity"):
            if self._label(name, mark, where):
                base = self._values.integer(value, f"{where}.{name}", WEAKEST, EXTREME)
                if base is not None:
                    found[name] = Marked(base, mark)
        return found

    def _steps(self, node: Node | None, where: str) -> Marked[tuple[float, float]] | None:
        wanted = "two numbers from 0 to 1, the lower first, such as [0.25, 0.75]"
        sequence = self._values.sequence(node, where, wanted) if node is not None else None
        if sequence is None:
            return None
        steps = [self._values.probability(item, where) for item in sequence.items]
        low, high = steps if len(steps) == 2 else (None, None)
        if low is None or high is None or low > high:
            if None not in steps:
                self._log.error(sequence.mark, f"{where}: expected {wanted}")
            return None
        return Marked((low, high), sequence.mark)

    def _disabled(self, node: Node | None, where: str) -> dict[str, Mark]:
        sequence = self._values.sequence(node, where, "a list of rule names") if node is not None else None
        found: dict[str, Mark] = {}
        for item in sequence.items if sequence else ():
            name = self._values.name(item, where, RULE_NAME_WANTED, RULE_NAME)
            if name is not None:
                if name in found:
                    self._log.warning(item.mark, f"{where}: {quote(name)} is listed twice")
                found[name] = item.mark
        return found

    def _unsupported(self, mapping: Mapping, where: str) -> Marked[Action] | None:
        if "unsupported_language_action" not in mapping.entries:
            return None
        key, value = mapping.entries["unsupported_language_action"]
        # Approving is not among the options: what the pack cannot read is never approved on its text alone.
        options = (Action.REVIEW.value, Action.BLOCK.value)
        action = self._values.choice(value, f"{where}.unsupported_language_action", options)
        return Marked(Action(action), key.mark) if action else None

    def _message_language(self, mapping: Mapping, where: str) -> Marked[str] | None:
        if "message_language" not in mapping.entries:
            return None
        key, value = mapping.entries["message_language"]
        where = f"{where}.message_language"
        scalar = self._values.scalar(value, where, EXPECTED_LANGUAGE)
        if scalar is None or not self._values.is_language(scalar.text, scalar.mark, where):
            return None
        return Marked(scalar.text, key.mark)
