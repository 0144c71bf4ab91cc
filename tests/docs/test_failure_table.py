"""Every test that docs/failure-table.md names exists, and every failure that has a test is in it."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT

TABLE = (ROOT / "docs" / "failure-table.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))]
PROVED = ("tests/delivery/test_failure_table.py", "tests/delivery/test_pictures.py")


@cache
def defined_in(path: str) -> frozenset[str]:
    """The tests that a file defines."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in defined_in(path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_row_names_its_tests(row: str) -> None:
    what, happens, proved = (cell.strip() for cell in row.strip("|").split("|"))
    assert what
    assert happens
    assert re.fullmatch(r"`tests/[\w/]+\.py::\w+`( `tests/[\w/]+\.py::\w+`)*", proved)


@pytest.mark.parametrize("proved", PROVED)
def test_every_failure_with_a_test_on_real_kafka_is_in_the_table(proved: str) -> None:
    assert defined_in(proved) - {name for path, name in NAMED if path == proved} == set()
