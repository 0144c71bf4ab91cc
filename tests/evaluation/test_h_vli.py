from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Item, Source
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import h_vli
from models_export.evaluation.suites.held_out import is_drawn
from models_export.measures.bootstrap import Estimate
from processors.packs import load_pack
from tests.tiny_pack import write_tiny_pack

IDS = [name for name in (f"{at:05}" for at in range(200)) if is_drawn(name)][:8]


def entry(pattern: str, **fields: Any) -> dict[str, Any]:
    label = ["NotHate", "Racist"]
    return {
        "tweet_text": "hello",
        "image_path": "imgs/picture.jpeg",
        "text_label_str": label[int(pattern[0])],
        "image_label_str": label[int(pattern[1])],
        "final_label_str": label[int(pattern[2])],
        "type": pattern,
        "difficulty": "easy",
        **fields,
    }


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "data" / h_vli.POSTS[1]
    path.parent.mkdir(parents=True)
    entries = {name: entry(f"{at:03b}") for at, name in enumerate(IDS)}
    path.write_text(json.dumps(entries), encoding="utf-8")
    return Source(tmp_path / "data", load_pack(write_tiny_pack(tmp_path / "pack")))


def test_the_whole_is_the_truth_and_the_text_has_its_own_label(source: Source) -> None:
    items = {item.groups["pattern"]: item for item in h_vli.read(source)}
    assert set(items) == {f"{at:03b}" for at in range(8)}
    assert items["110"].truth == {"hate": 0} | dict.fromkeys(h_vli.TARGETS.values(), 0)
    assert items["110"].groups["text_label"] == "1"
    assert items["001"].truth["hate"] == 1
    assert items["001"].truth["target.race"] == 1
    assert items["001"].truth["target.sex"] == 0
    assert items["001"].groups["text_label"] == "0"


def test_without_pictures_the_text_is_judged_alone_and_the_report_says_so(source: Source) -> None:
    items = h_vli.read(source)
    assert not any(item.post.media for item in items)
    assert list(h_vli.own([said(item, 0.1) for item in items])["Shown"]) == [h_vli.TEXT_ONLY]


def test_a_picture_that_is_there_goes_with_its_text(source: Source) -> None:
    picture = source.data / "imgs" / "picture.jpeg"
    picture.parent.mkdir()
    picture.write_bytes(b"picture")
    items = h_vli.read(source)
    assert {item.groups["shown"] for item in items} == {h_vli.WITH_PICTURE}
    assert {media.uri for item in items for media in item.post.media} == {picture.as_uri()}


def test_a_path_out_of_the_data_folder_is_no_picture(source: Source) -> None:
    (source.data.parent / "outside.jpeg").write_bytes(b"picture")
    path = source.data / h_vli.POSTS[1]
    path.write_text(json.dumps({IDS[0]: entry("000", image_path="../outside.jpeg")}), encoding="utf-8")
    assert h_vli.read(source)[0].post.media == ()


def said(item: Item, probability: float, shown: str = h_vli.TEXT_ONLY, flags: tuple[str, ...] = ()) -> Prediction:
    return Prediction(
        id=item.post.post_id,
        suite="h-vli",
        groups={**item.groups, "shown": shown},
        truth=item.truth,
        probabilities={"hate": probability},
        thresholds={"hate": 0.5},
        flags=flags,
    )


def accuracy(cell: object) -> float | None:
    assert isinstance(cell, Estimate)
    return cell.value


def test_a_judge_of_texts_is_right_by_the_texts_and_half_right_by_the_whole(source: Source) -> None:
    predictions = [said(item, 0.9 if item.groups["text_label"] == "1" else 0.1) for item in h_vli.read(source)]
    tables = h_vli.own(predictions)
    rows = tables["Hate, against the label of the text alone and of the whole"]
    assert accuracy(rows["text alone, text label"]["accuracy"]) == 1.0
    assert accuracy(rows["text alone, final label"]["accuracy"]) == 0.5
    patterns = tables["By pattern (text, picture, whole)"]
    assert accuracy(patterns["001"]["right by final label"]) == 0.0
    assert accuracy(patterns["001"]["right by text label"]) == 1.0
    assert accuracy(patterns["110"]["said hateful"]) == 1.0


def test_flags_of_interaction_are_measured_on_posts_with_pictures(source: Source) -> None:
    flag = "interaction.emergent"
    predictions = [
        said(item, 0.9, h_vli.WITH_PICTURE, (flag,) if item.groups["pattern"] in ("001", "000") else ())
        for item in h_vli.read(source)
    ]
    row = h_vli.own(predictions)["Flags of interaction"][flag]
    assert row["flagged"] == 2
    assert accuracy(row["precision"]) == 0.5
    assert accuracy(row["recall"]) == 1.0


def test_whatever_part_the_whole_neutralises_the_flag_is_meant_for_it(source: Source) -> None:
    flag = "interaction.neutralised"
    predictions = [
        said(item, 0.1, h_vli.WITH_PICTURE, (flag,) if item.groups["pattern"] in ("100", "110", "111") else ())
        for item in h_vli.read(source)
    ]
    row = h_vli.own(predictions)["Flags of interaction"][flag]
    assert row["meant for"] == "010, 100, 110"
    assert accuracy(row["precision"]) == pytest.approx(2 / 3)
    assert accuracy(row["recall"]) == pytest.approx(2 / 3)


def test_a_folder_without_the_set_is_said_to_lack_it(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="expected the training set of H-VLI"):
        h_vli.read_posts(tmp_path)


def test_a_file_of_another_kind_is_refused(source: Source) -> None:
    for content in (b"[1]", b'{"1": {"tweet_text": "\xff"}}', json.dumps({"1": entry("001", type="01")}).encode()):
        (source.data / h_vli.POSTS[1]).write_bytes(content)
        with pytest.raises(SuiteError, match="expected ids and posts"):
            h_vli.read(source)
