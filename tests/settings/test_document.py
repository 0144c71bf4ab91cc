"""docs/settings.md is written from the tree, and says all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import catalogue, document


def test_the_document_is_current() -> None:
    assert document.main(["--check"]) == 0


def test_every_setting_is_in_the_document_with_what_it_means() -> None:
    text = document.render()
    for entry in catalogue().values():
        assert entry.env in text
        assert entry.description.endswith(".")
        assert len(entry.description) >= 20


def test_the_document_is_the_same_on_every_machine() -> None:
    assert str(Path.home()) not in document.render()
    assert str(document.INSTALLED) not in document.render()


def test_a_document_that_is_out_of_date_is_told_and_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "docs" / "settings.md"
    assert document.main(["--check"], path) == 1
    assert "make references" in capsys.readouterr().err
    assert document.main(["--write"], path) == 0
    assert document.main(["--check"], path) == 0
