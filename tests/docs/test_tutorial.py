"""docs/tutorial.md does what it says, command by command, on the real Kafka."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.replay import decode_pair
from tests.docs.following import Follower, follower
from tests.docs.guide import apply_blocks
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "tutorial.md"

pytestmark = pytest.mark.timeout(300)
"""It starts the whole chain twice, with every model."""

TOLERANCE = 0.011
"""Probabilities are within 0.002 on any machine, and shown with two digits."""

NUMBER = re.compile(r"\b\d+\.\d+\b")


@pytest.fixture
def reader(environment: dict[str, str], tmp_path: Path) -> Iterator[Follower]:
    """A reader in a folder that has what a clone has, as far as the tutorial needs it."""
    clone = tmp_path / "clone"
    (clone / "policies").mkdir(parents=True)
    (clone / "examples").symlink_to(ROOT / "examples")
    apply_blocks(PAGE, clone)
    with follower(clone, environment) as reader:
        yield reader


def test_the_tutorial_does_what_it_says(reader: Follower) -> None:
    done = reader.follow(PAGE)
    said = [line for entry in done for line in (entry.stdout + entry.stderr).splitlines()]
    shown = [line for block in blocks(PAGE, frozenset({""})) for line in block.splitlines()]

    addresses, lines = shown[:3], shown[3:]
    assert [line.split(": ")[0] for line in reader.first_words] == ["bootstrap servers"] * 2
    assert [line.split(": ")[0] for line in addresses] == ["bootstrap servers", "worker", "console"]
    assert len(lines) > 10
    for line in lines:
        assert any(alike(line, other) for other in said), f"the page shows a line that did not come: {line}"

    shown_fields = json.loads(blocks(PAGE, frozenset({"json"}))[0])
    decision = next(json.loads(entry.stdout) for entry in done if entry.command.endswith("--json"))
    assert shown_fields["action"] == decision["action"]
    assert shown_fields["labels"] == pytest.approx(decision["labels"], abs=TOLERANCE)
    assert [reason["rule"] for reason in shown_fields["reasons"]] == [reason["rule"] for reason in decision["reasons"]]
    assert shown_fields["versions"].items() <= decision["versions"].items(), "run the tutorial and copy its versions"

    report = reader.folder / "build" / "replay"
    assert (report / "report.html").is_file()
    pairs = map(decode_pair, (report / "pairs.jsonl").read_bytes().splitlines())
    assert {
        pair.post_id for pair in pairs if pair.now is not None and pair.now.action == "approve" != pair.was.action
    } == {"demo-09"}


def alike(shown: str, printed: str) -> bool:
    """The same words, and numbers as near as two machines' are. A line of the page may leave out the end of one."""
    numbers, others = ([float(found) for found in NUMBER.findall(line)] for line in (shown, printed))
    words, all_words = (" ".join(NUMBER.sub("#", line).split()) for line in (shown, printed))
    return all_words.startswith(words) and others[: len(numbers)] == pytest.approx(numbers, abs=TOLERANCE)
