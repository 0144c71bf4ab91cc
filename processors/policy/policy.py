"""A loaded policy: where it comes from, what it is called, and what it says for whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

from processors.policy.document import DEFAULT_LAYER, Document
from processors.policy.effective import EffectivePolicy
from processors.policy.languages import primary_language
from processors.policy.lint import lint
from processors.policy.problems import PolicyError, Problem, ProblemLog
from processors.policy.reader import read_document
from processors.policy.settings import merge
from processors.policy.yaml_tree import MAX_BYTES, YamlProblem, read_tree

MAX_EFFECTIVE = 1024
"""Combinations of listed tenant, region and language that are kept ready; others are laid out anew (under 1 ms)."""

HASH_CHARS = 12
"""48 bits of the content's hash: enough to tell the versions of one policy apart."""


class Policy:
    """A valid policy over one pack's thresholds. Immutable, pure, and safe to use on several threads."""

    def __init__(
        self, document: Document, pack_thresholds: Mapping[str, float], warnings: tuple[Problem, ...] = ()
    ) -> None:
        self.document = document
        self.warnings = warnings
        content = json.dumps(document.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.hash = hashlib.sha256(content.encode()).hexdigest()[:HASH_CHARS]
        self._pack_thresholds = dict(pack_thresholds)
        self._effective = lru_cache(maxsize=MAX_EFFECTIVE)(self._lay_out)

    @property
    def reference(self) -> str:
        """`name@hash`, as decisions name it."""
        return f"{self.document.name}@{self.hash}"

    def effective(self, tenant: str | None, region: str | None, lang: str | None) -> EffectivePolicy:
        """What is in effect for a post. Tenants, regions and languages without a layer share one object."""
        wanted = (
            f"language:{primary_language(lang)}" if lang else None,
            f"region:{region}" if region else None,
            f"tenant:{tenant}" if tenant else None,
        )
        # Only listed names get into the cache: what posts say must not be able to fill it.
        return self._effective(tuple(layer for layer in wanted if layer in self.document.layers))

    def _lay_out(self, layers: tuple[str, ...]) -> EffectivePolicy:
        chosen = [self.document.layers[layer] for layer in (DEFAULT_LAYER, *layers)]
        return EffectivePolicy(merge(chosen, self._pack_thresholds))


def load_policy(path: Path, pack_thresholds: Mapping[str, float], features: Collection[str] | None = None) -> Policy:
    """The policy in a file, over the flag thresholds of a pack.

    `pack_thresholds` has a threshold for each label that the pack assesses, and for no other; likewise for refinements
    (`hate.race`) and severities (`severity.2`). `features` are the names of the features that posts have, None where
    not known. Raises `PolicyError` with every problem of the file.
    """
    return parse_policy(_read(path), str(path), pack_thresholds, features)


def parse_policy(
    raw: bytes, file: str, pack_thresholds: Mapping[str, float], features: Collection[str] | None = None
) -> Policy:
    """As `load_policy`, from the file's bytes; `file` is what problems call it."""
    document, problems = _check(raw, file, pack_thresholds, features)
    if document is None:
        raise PolicyError(problems)
    return Policy(document, pack_thresholds, tuple(problems))


def check_policy(
    path: Path, assessed_labels: Collection[str], features: Collection[str] | None = None
) -> list[Problem]:
    """Every problem of a policy file, in the file's order; empty if there is none. Never raises for what is in it."""
    try:
        raw = _read(path)
    except PolicyError as error:
        return list(error.problems)
    return _check(raw, str(path), assessed_labels, features)[1]


def _read(path: Path) -> bytes:
    log = ProblemLog(str(path))
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        log.error(None, f"cannot be read ({error.strerror or error}); expected a policy file in YAML")
        raise PolicyError(log.problems) from None


def _check(
    raw: bytes, file: str, assessed: Collection[str], features: Collection[str] | None
) -> tuple[Document | None, list[Problem]]:
    """The document, None if there are errors, and all problems."""
    log = ProblemLog(file)
    document: Document | None = None
    try:
        document = read_document(read_tree(raw), log, None if features is None else frozenset(features))
    except YamlProblem as problem:
        log.error(problem.mark, str(problem))
    if document is not None and DEFAULT_LAYER in document.layers:
        lint(document, assessed, log)
    return (None if log.has_errors else document), log.in_order()
