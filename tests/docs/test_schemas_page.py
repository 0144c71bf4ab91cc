"""docs/schemas.md has every field of every public message, with what the JSON Schemas say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.document import main, render, type_of
from schemas.jsonschemas import PUBLIC_TYPES, build
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "schemas.md"
TEXT = PAGE.read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table under a heading, by field."""
    (part,) = (part for part in TEXT.split("\n## ") if part.startswith(heading))
    lines = [line.strip("| ").split(" | ") for line in part.split("\n### ")[0].splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells[1:] for cells in lines}


def test_the_page_is_current() -> None:
    assert render() == TEXT, "run `python -m schemas.document --write`"


def test_a_page_that_is_not_current_is_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "schemas.md"
    assert main(["--check"], page) == 1
    assert f"{page} is not current" in capsys.readouterr().err
    assert main(["--write"], page) == 0
    assert main(["--check"], page) == 0


@pytest.mark.parametrize("schema", PUBLIC_TYPES)
def test_a_message_is_there_field_by_field(schema: str) -> None:
    built = build(schema)
    definition = built["$defs"][str(built["$ref"]).rpartition("/")[2]]
    table = rows(f"`{schema}`")
    assert list(table) == list(definition["properties"])
    for name, (_, default, meaning) in table.items():
        assert (default == "**required**") == (name in definition.get("required", ())), name
        assert meaning.endswith("."), name


def test_bounds_are_told() -> None:
    post = rows("`post/1`")
    assert post["post_id"][0] == "string (1 to 256 characters, no control characters)"
    assert post["media"][0] == "list of [Media](#media) (at most 100)"
    assert post["reach"][0] == "number (0 to 9,007,199,254,740,992) or null"
    assert rows("`feedback/1`")["explanation_rating"][0] == "integer (1 to 5) or null"
    assert rows("`decision/1`")["labels"][0] == "object: name -> number (0 to 1)"
    assert rows("`dead-letter-headers/1`")["modstream-attempt"][0] == "string (decimal digits)"


def test_a_pattern_without_words_is_no_type() -> None:
    with pytest.raises(KeyError):
        type_of({"type": "string", "pattern": "^[a-z]+$"})
