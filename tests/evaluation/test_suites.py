from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from models_export.evaluation.hatecheck import ENGLISH, MULTILINGUAL, read_suites
from models_export.evaluation.judgement.suite import Source
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import SUITES, suite_named
from processors.packs import load_pack
from tests.evaluation.labelled import GERMAN, add_hatecheck
from tests.tiny_pack import write_tiny_pack


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("evaluation")
    return Source(folder / "data", load_pack(write_tiny_pack(folder / "pack")))


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_that_is_offered_is_there(name: str) -> None:
    suite = suite_named(name)
    assert suite.name == name
    assert suite.about.endswith(".")


def test_hatecheck_is_read_with_function_language_and_target(tmp_path: Path, source: Source) -> None:
    add_hatecheck(tmp_path)
    items = suite_named("hatecheck").read(Source(tmp_path, source.pack))
    assert len({item.post.post_id for item in items}) == len(items) == 6
    first, *_, last = items
    assert first.groups == {"lang": "en", "suite": "HateCheck", "function": "derog_h", "target": "cats"}
    assert first.truth == {"hate": 1}
    assert last.groups["lang"] == "de"
    assert last.groups["suite"] == "Multilingual HateCheck"
    assert last.groups["target"] == "none"
    assert last.truth == {"hate": 0}


def test_cases_may_be_compressed_and_go_over_lines(tmp_path: Path) -> None:
    add_hatecheck(tmp_path)
    english, german = read_suites(tmp_path)
    assert english.cases[1].text == "the cat,\nthe mat"
    assert german.lang == "de"
    assert german.hateful.tolist() == [True, True, False]


def test_a_folder_without_the_suite_is_said_to_lack_it(tmp_path: Path, source: Source) -> None:
    with pytest.raises(SuiteError, match="expected HateCheck below named/"):
        suite_named("hatecheck").read(Source(tmp_path, source.pack))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / ENGLISH).parent.mkdir(parents=True)
    (tmp_path / ENGLISH).write_text("text,label\nhello,0\n", encoding="utf-8")
    with pytest.raises(SuiteError, match="expected the columns of a HateCheck suite"):
        read_suites(tmp_path)


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    add_hatecheck(tmp_path)
    path = tmp_path / MULTILINGUAL / GERMAN
    path.write_bytes(lzma.compress(b"x" * 1_000)[:40] + b"broken")
    with pytest.raises(SuiteError, match=GERMAN):
        read_suites(tmp_path)
