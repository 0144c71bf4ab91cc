"""What the shipped pack and policy make of the golden posts, and what they made of them when that was written down."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from commands.score import score_lines
from schemas import Decision, decode_decision
from streams.assembly import chain_of
from streams.json_lines import read_lines
from streams.kafka import MESSAGE_BYTES
from streams.settings import load_settings

FOLDER = Path(__file__).parent
POSTS = FOLDER / "posts.jsonl"
DECISIONS = FOLDER / "decisions.jsonl"
PICTURES = FOLDER.parents[1] / "examples" / "pictures"

TOLERANCE = 0.002
"""Of probabilities, between machines."""


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Of a decision, what is a judgement."""

    post_id: str
    lang: str | None
    action: str
    severity: int
    flags: tuple[str, ...]
    explicitness: str | None
    labels: dict[str, float]
    targets: dict[str, float]
    attacks: dict[str, float]

    @classmethod
    def of(cls, decision: Decision) -> Golden:
        return cls(
            post_id=decision.post_id,
            lang=decision.lang,
            action=decision.action.value,
            severity=decision.severity,
            flags=decision.flags,
            explicitness=decision.explicitness,
            labels=decision.labels,
            targets=decision.targets,
            attacks=decision.attacks,
        )


@cache
def decided() -> Mapping[str, Golden]:
    """Post id -> its decision now."""
    with tempfile.TemporaryDirectory() as folder, POSTS.open("rb") as file:
        places = {"store.url": str(Path(folder) / "store"), "media.file_roots": (str(PICTURES),)}
        processors, _ = chain_of(load_settings(flags=places).settings, "golden", one_attempt=True)
        results = score_lines(processors, list(read_lines(file, MESSAGE_BYTES)), None)
    return {golden.post_id: golden for golden in map(Golden.of, map(decode_decision, results))}


@cache
def written() -> Mapping[str, Golden]:
    """Post id -> its decision as it was written down; nothing where none was."""
    lines = DECISIONS.read_text(encoding="utf-8").splitlines() if DECISIONS.is_file() else []
    return {golden.post_id: golden for golden in (msgspec.json.decode(line, type=Golden) for line in lines)}


def write() -> None:
    """Writes every decision down as it is now."""
    lines = [json.dumps(msgspec.to_builtins(golden), ensure_ascii=False) + "\n" for golden in decided().values()]
    DECISIONS.write_text("".join(lines), encoding="utf-8")


def differences(before: Golden, now: Golden) -> Iterator[str]:
    """One line for everything that is not as it was: `action: review, was approve`."""
    for name in ("lang", "action", "severity", "flags", "explicitness"):
        was, found = getattr(before, name), getattr(now, name)
        if was != found:
            yield f"{name}: {_shown(found)}, was {_shown(was)}"
    for name in ("labels", "targets", "attacks"):
        was, found = getattr(before, name), getattr(now, name)
        for head in dict.fromkeys((*was, *found)):
            one, other = was.get(head), found.get(head)
            if one is None or other is None or abs(one - other) > TOLERANCE:
                yield f"{name}.{head}: {_shown(other)}, was {_shown(one)}"


def _shown(value: object) -> str:
    return "nothing" if value in (None, (), "") else str(value) if not isinstance(value, tuple) else " ".join(value)
