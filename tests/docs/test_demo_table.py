"""The lines of the demo that the README shows are those that the shipped pack and policy give."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path

import pytest

from commands.demo import DELETED, SAMPLE
from commands.demo_table import PICTURES_HEADER, SOUNDS_HEADER, decision_row, picture_row, sound_row
from commands.score import score_lines
from schemas import Action, Decision, Status, decode_decision
from streams.assembly import chain_of
from streams.json_lines import read_lines
from streams.kafka import MESSAGE_BYTES
from streams.settings import load_settings
from tests.docs.pages import ROOT, blocks

TOLERANCE = 0.01
"""Probabilities are within 0.002 on any machine, and shown with two digits."""

(SHOWN,) = (block for block in blocks(ROOT / "README.md") if block.startswith("POST"))
POSTS, PICTURES, SOUNDS = SHOWN.split("\n\n")
HEADER, *LINES = POSTS.splitlines()
READ_HEADER, *READ_LINES = PICTURES.splitlines()
HEARD_HEADER, *HEARD_LINES = SOUNDS.splitlines()
RERUN = "run `modstream demo` and copy its lines into README.md"


@cache
def decisions() -> dict[str, Decision]:
    """The sample's decisions by post id, without Kafka."""
    with tempfile.TemporaryDirectory() as folder, SAMPLE.open("rb") as file:
        places = {"store.url": str(Path(folder) / "store"), "media.file_roots": (str(SAMPLE.parent),)}
        processors, _ = chain_of(load_settings(flags=places).settings, "test", one_attempt=True)
        results = score_lines(processors, list(read_lines(file, MESSAGE_BYTES)), None)
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
    assert "".join(why) == decision_row("", "", decision)[-1], RERUN


def test_the_other_lines_are_the_broken_and_the_deleted_one() -> None:
    assert len(DECIDED) >= 5
    others = [line for line in LINES if line not in DECIDED]
    assert [re.split(r"  +", line)[0] for line in others] == ["line 22", DELETED]


@pytest.mark.parametrize("line", READ_LINES, ids=lambda line: line.split()[0])
def test_a_picture_is_shown_as_it_was_read(line: str) -> None:
    cells = tuple(re.split(r"  +", line))
    assert cells == tuple(filter(None, picture_row(decisions()[cells[0]]))), RERUN


def test_the_pictures_shown_are_read_and_unread_abusive_harmless_and_broken() -> None:
    assert tuple(re.split(r"  +", READ_HEADER)) == PICTURES_HEADER
    shown = [decisions()[line.split()[0]] for line in READ_LINES]
    assert {decision.modalities["ocr"].status for decision in shown} >= {Status.OK, Status.UNSAFE, Status.FAILED}
    assert {decision.action for decision in shown} >= {Action.APPROVE, Action.REVIEW}


@pytest.mark.parametrize("line", HEARD_LINES, ids=lambda line: line.split()[0])
def test_a_sound_is_shown_as_it_was_heard(line: str) -> None:
    cells = tuple(re.split(r"  +", line))
    assert cells == tuple(filter(None, sound_row(decisions()[cells[0]]))), RERUN


def test_the_sounds_shown_are_abusive_harmless_and_broken() -> None:
    assert tuple(re.split(r"  +", HEARD_HEADER)) == SOUNDS_HEADER
    shown = [decisions()[line.split()[0]] for line in HEARD_LINES]
    assert {decision.modalities["speech"].status for decision in shown} >= {Status.OK, Status.FAILED}
    assert {decision.action for decision in shown} >= {Action.APPROVE, Action.REVIEW}
