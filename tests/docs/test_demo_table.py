"""The lines of the demo that the README shows are those that the shipped pack and policy give."""

from __future__ import annotations

import re
from functools import cache

import pytest

from commands.demo import DELETED, SAMPLE
from commands.score import score_lines
from schemas import Decision, decode_decision
from streams.json_lines import read_lines
from streams.kafka import MESSAGE_BYTES
from streams.settings import load_settings
from streams.worker.run import chain_of
from tests.docs.pages import ROOT, blocks

TOLERANCE = 0.01
"""Probabilities are within 0.002 on any machine, and shown with two digits."""

(SHOWN,) = (block for block in blocks(ROOT / "README.md") if block.startswith("POST"))
HEADER, *LINES = SHOWN.splitlines()
RERUN = "run `modstream demo` and copy its lines into README.md"


@cache
def decisions() -> dict[str, Decision]:
    """The sample's decisions by post id, without Kafka."""
    processors, _ = chain_of(load_settings().settings, "test")
    with SAMPLE.open("rb") as file:
        results = score_lines(processors, list(read_lines(file, MESSAGE_BYTES)))
    found = [decode_decision(result) for result in results if not result.startswith(b'{"error"')]
    return {decision.post_id: decision for decision in found}


DECIDED = [line for line in LINES if re.match(r"demo-\d+  +[a-z]", line) and "  deleted  " not in line]


@pytest.mark.parametrize("line", DECIDED, ids=lambda line: line.split()[0])
def test_a_decision_is_shown_as_it_is(line: str) -> None:
    decision = decisions()[line.split()[0]]
    _, lang, _, action, labels, *why = re.split(r"  +", line)
    assert (lang, action) == (decision.lang, decision.action), RERUN
    for label, shown in re.findall(r"(\w+) (\d\.\d\d)", labels):
        assert abs(decision.labels[label] - float(shown)) <= TOLERANCE, RERUN
    flags, _, rules = (why or [""])[0].partition("; ")
    if not rules.endswith("…"):
        assert flags.split() == list(decision.flags), RERUN
        assert rules.split(", ") == ([reason.rule for reason in decision.reasons] or [""]), RERUN


def test_the_other_lines_are_the_broken_and_the_deleted_one() -> None:
    assert len(DECIDED) >= 5
    others = [line for line in LINES if line not in DECIDED]
    assert [re.split(r"  +", line)[0] for line in others] == ["line 22", DELETED]
