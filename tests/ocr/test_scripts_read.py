"""Which scripts a recogniser reads, by its characters."""

from __future__ import annotations

import string

from processors.ocr.graph_config import read_recognition_config
from processors.ocr.scripts import scripts_read
from processors.packs import Pack

CYRILLIC = [chr(code) for code in range(0x410, 0x450)]


def test_the_packs_recogniser_reads_what_its_manifest_says(embedded: Pack) -> None:
    part = embedded.manifest.ocr
    assert part is not None
    config = read_recognition_config(embedded.folder / part.recognition.config.path)
    assert scripts_read(config.characters) == part.reads == ("Hani", "Hans", "Hant", "Hira", "Jpan", "Kana", "Latn")


def test_a_script_is_read_with_all_its_letters_only() -> None:
    assert scripts_read(string.ascii_letters) == ("Latn",)
    assert scripts_read(string.ascii_lowercase) == ()
    assert scripts_read([*string.ascii_letters, *CYRILLIC]) == ("Cyrl", "Latn")


def test_letters_of_formulas_are_no_greek() -> None:
    formulas = [chr(code) for code in range(0x391, 0x3CA) if code not in (0x3A2, 0x3C2)]
    assert "Grek" not in scripts_read(formulas)
    assert "Grek" in scripts_read([*formulas, *"ςάέήίόύώ"])
