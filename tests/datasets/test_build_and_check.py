"""A manifest of all sets, and what a check finds in one that was spoilt."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from models_export.datasets.build import build, hashed_before
from models_export.datasets.check import Check, Report, check
from models_export.datasets.manifest import MANIFEST, DatasetError, Row, read_manifest, write_manifest
from tests.datasets import published
from tests.datasets.made import distinct, judged, row


def silent(_: str) -> None:
    """Nobody looks at the progress of a test."""


def checked(
    path: Path, rows: list[Row], data: Path | None = None, templates: list[tuple[str, str]] | None = None
) -> Report:
    manifest = path / MANIFEST
    write_manifest(manifest, rows)
    return check(manifest, data or path, silent, templates or [])


def failed(report: Report) -> dict[str, Check]:
    return {one.name: one for one in report.checks if not one.ok}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with all sets."""
    for write in set(published.ALL.values()):
        write(tmp_path / "data")
    return tmp_path / "data"


def test_all_sets_go_into_one_manifest_that_passes_its_check(data: Path, tmp_path: Path) -> None:
    built = build(data, silent)
    names = {row.dataset for row in built.rows}
    assert names == set(published.ALL)
    assert built.summary.absent == ["hatemojicheck", "video_clips", "photos_permissive", "ocr_samples", "pool"]
    report = checked(tmp_path, built.rows, data)
    assert report.ok, failed(report)
    assert list(read_manifest(tmp_path / MANIFEST)) == built.rows


def test_a_set_of_which_no_picture_is_there_is_text_alone(data: Path) -> None:
    built = build(data, silent)
    assert "h_vli" in built.summary.without_pictures
    assert all(not row.media for row in built.rows if row.dataset == "h_vli")
    pictured = [row for row in built.rows if row.dataset == "hateful_memes"]
    assert all(file.sha256 and file.pdq for row in pictured for file in row.media)


def test_a_missing_picture_among_others_stays_in_the_manifest_and_fails_the_check(data: Path, tmp_path: Path) -> None:
    (data / "hateful_memes/img/00002.png").unlink()
    built = build(data, silent)
    found = failed(checked(tmp_path, built.rows, data))
    assert list(found) == ["media_valid"]
    assert found["media_valid"].examples == ["hateful_memes/img/00002.png"]
    assert found["media_valid"].by_set["hateful_memes"] == 0.75
    assert found["media_valid"].by_set["religious_memes"] == 1.0


def test_a_picture_that_changed_after_it_was_hashed_is_not_valid(data: Path, tmp_path: Path) -> None:
    built = build(data, silent)
    published.write_picture(data / "memes/religious/images/1.png", 77)
    assert failed(checked(tmp_path, built.rows, data))["media_valid"].count == 1


def test_a_path_that_leaves_the_data_folder_is_neither_hashed_nor_valid(data: Path, tmp_path: Path) -> None:
    published.write_picture(tmp_path / "outside.png", 1)
    line = {"id": 9, "img": "../../outside.png", "label": 0, "text": "over the wall"}
    published.write_lines(data / "hateful_memes/dev.jsonl", [line])
    outside = next(row for row in build(data, silent).rows if row.id == "hateful_memes:9")
    assert outside.media[0].sha256 is None


def test_a_broken_picture_has_no_perceptual_hash(data: Path) -> None:
    (data / "hateful_memes/img/00001.png").write_bytes(b"no picture")
    first = next(row for row in build(data, silent).rows if row.id == "hateful_memes:1")
    assert first.media[0].sha256
    assert first.media[0].pdq is None


def test_pictures_that_an_earlier_manifest_knows_are_not_hashed_again(data: Path, tmp_path: Path) -> None:
    manifest = tmp_path / MANIFEST
    write_manifest(manifest, build(data, silent).rows)
    before = hashed_before(manifest)
    assert before
    marked = {sha256: replace(file, pdq="ab" * 32) for sha256, file in before.items()}
    again = build(data, silent, marked)
    assert {file.pdq for row in again.rows for file in row.media if file.sha256 and file.kind == "image"} == {"ab" * 32}


def test_an_earlier_manifest_stays_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    manifest = tmp_path / MANIFEST
    write_manifest(manifest, [row("a")])
    with pytest.raises(DatasetError, match=r"made:c: surrogates not allowed; expected Unicode text"):
        write_manifest(manifest, [row("b"), row("c", text="half a \ud83d")])
    assert list(read_manifest(manifest)) == [row("a")]


def test_two_rows_with_one_id_stop_the_build(data: Path) -> None:
    path = data / "memes/religious/labels.jsonl"
    path.write_text(path.read_text() * 2)
    with pytest.raises(DatasetError, match=r"religious_memes:1: two rows of the set have this id"):
        build(data, silent)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none of the sets is there"):
        build(tmp_path, silent)


def test_a_label_outside_the_taxonomy_and_an_id_twice_fail(tmp_path: Path) -> None:
    write_manifest(tmp_path / MANIFEST, [row("a"), row("a")])
    with (tmp_path / MANIFEST).open("a") as file:
        file.write(
            '{"id":"x","dataset":"d","split":"train","lang":"en","licence":"l","source":"s","labels":{"labels":{"rude":true}}}\n'
        )
    found = failed(check(tmp_path / MANIFEST, tmp_path, silent, []))
    assert found["labels_mapped"].count == 2
    assert "'rude' is no label" in found["labels_mapped"].examples[1]
    with pytest.raises(DatasetError, match=r"line 2: the id 'made:a' is taken"):
        list(read_manifest(tmp_path / MANIFEST))


def test_a_row_without_a_licence_fails(tmp_path: Path) -> None:
    found = failed(checked(tmp_path, [row("a", licence=" ")]))
    assert found["licence_present"].examples == ["made:a"]


def test_diagnostic_rows_and_training_rows_of_one_set_fail(tmp_path: Path) -> None:
    found = failed(checked(tmp_path, [row("a", split="diagnostic"), row("b")]))
    assert found["diagnostic_kept_apart"].examples == ["made:b"]


def test_one_text_in_two_splits_fails_exactly_and_nearly(tmp_path: Path) -> None:
    rows = [row("a", text="Proud of our town"), row("b", text="proud of  our town", split="dev")]
    assert set(failed(checked(tmp_path, rows))) == {"nothing_across_splits", "nothing_near_across_splits"}
    rows[1] = replace(rows[1], text="Proud of our town!")
    assert set(failed(checked(tmp_path, rows))) == {"nothing_near_across_splits"}
    rows[1] = replace(rows[1], split="excluded", excluded="seen")
    assert checked(tmp_path, rows).ok


def test_uneven_classes_fail_only_where_the_split_is_ours(tmp_path: Path) -> None:
    rows = [judged(str(at), hate=at < 50, split="dev" if at < 20 else "train", text=distinct(at)) for at in range(100)]
    assert checked(tmp_path, rows).ok
    ours = [replace(one, split_by="us") for one in rows]
    found = failed(checked(tmp_path, ours))
    assert found["shares_even"].examples == ["made/abuse", "made/hate"]
    assert found["shares_even"].by_set["made/hate"] == pytest.approx(1 - 30 / 80)


def test_a_template_that_a_suite_has_fails_by_place_and_not_by_words(tmp_path: Path) -> None:
    suite = [
        row("s", split="diagnostic", text="Our town is proud of its women."),
        row(
            "t",
            split="diagnostic",
            text="We sang about bakers until dawn!",
            facts={"case_templ": "We sang about [IDENTITY_P] until dawn!"},
        ),
    ]
    templates = [
        ("en", "the {group} of this street bake on sundays"),
        ("en", "our town is proud of its {group}"),
        ("en", "we sang about {group.2} until dawn"),
        ("en", "{group} are {thing}"),
        ("de", "our town is proud of its {group}"),
    ]
    found = failed(checked(tmp_path, suite, templates=templates))["templates_of_our_own"]
    assert [example.partition(":")[0] for example in found.examples] == ["en template 1", "en template 2"]
    assert found.found == "2 of 5 templates are in a suite"
