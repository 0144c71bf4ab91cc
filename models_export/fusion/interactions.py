"""How well `interaction.emergent` and `interaction.neutralised` find what they are named after, by pattern.

A pattern has three digits, as H-VLI's eight types: whether people judged the text alone, the picture alone, and both
together hateful. `001` is emergent (each part harmless, the whole not); `010`, `100` and `110` are neutralised.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from models_export.measures.bootstrap import rate
from processors.policy import INTERACTION_EMERGENT, INTERACTION_NEUTRALISED

PATTERNS = ("000", "001", "010", "011", "100", "101", "110", "111")

MEANT = {INTERACTION_EMERGENT: frozenset({"001"}), INTERACTION_NEUTRALISED: frozenset({"010", "100", "110"})}
"""Flag -> the patterns that should raise it."""

Judged = Sequence[tuple[str, Collection[str]]]
"""(pattern, flags of the decision) of each post."""


def by_pattern(posts: Judged) -> dict[str, Any]:
    """Posts and the share that raises each flag by pattern, and each flag's precision and recall, with 95% intervals.

    Raises ValueError for a pattern that is none.
    """
    if odd := {pattern for pattern, _ in posts} - set(PATTERNS):
        raise ValueError(f"no patterns: {', '.join(sorted(odd))}; expected some of {', '.join(PATTERNS)}")
    patterns: dict[str, Any] = {}
    for pattern in PATTERNS:
        found = [flags for name, flags in posts if name == pattern]
        raised = {flag: _rate([flag in flags for flags in found], [True] * len(found)) for flag in MEANT}
        patterns[pattern] = {"posts": len(found), **raised}
    flags: dict[str, Any] = {}
    for flag, meant in MEANT.items():
        raised = [flag in flags_ for _, flags_ in posts]
        wanted = [pattern in meant for pattern, _ in posts]
        both = [one and other for one, other in zip(raised, wanted, strict=True)]
        flags[flag] = {"raised": sum(raised), "precision": _rate(both, raised), "recall": _rate(both, wanted)}
    return {"patterns": patterns, "flags": flags}


def _rate(hits: Sequence[bool], out_of: Sequence[bool]) -> dict[str, float | None]:
    return msgspec.to_builtins(rate(hits, out_of))
