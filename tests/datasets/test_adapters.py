"""Every set in its published shape becomes rows of the canonical taxonomy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_export.datasets.adapters import ADAPTERS
from models_export.datasets.manifest import NOT_JUDGED, DatasetError, Labels, Row
from tests.datasets import published

HATE = {"abuse": True, "hate": True}
NO_HATE = {"abuse": False, "hate": False}


def rows_of(data: Path, name: str) -> dict[str, Row]:
    """By the id that the source gave."""
    adapter = next(adapter for adapter in ADAPTERS if adapter.dataset == name)
    folder = adapter.find(data)
    assert folder is not None
    return {row.id.removeprefix(f"{name}:"): row for row in adapter.read(adapter, folder)}


def written(tmp_path: Path, name: str) -> dict[str, Row]:
    published.ALL[name](tmp_path)
    return rows_of(tmp_path, name)


@pytest.mark.parametrize("name", published.ALL)
def test_a_row_says_where_it_comes_from_and_under_which_licence(name: str, tmp_path: Path) -> None:
    rows = written(tmp_path, name)
    assert rows
    for row in rows.values():
        assert row.dataset == name
        assert row.licence
        assert row.source
        assert row.text


@pytest.mark.parametrize("name", published.ALL)
def test_a_set_that_is_not_there_is_not_found(name: str, tmp_path: Path) -> None:
    adapter = next(adapter for adapter in ADAPTERS if adapter.dataset == name)
    assert adapter.find(tmp_path) is None


def test_hateful_memes_have_pictures_and_the_text_in_them(tmp_path: Path) -> None:
    rows = written(tmp_path, "hateful_memes")
    assert {identity: row.split for identity, row in rows.items()} == {
        "1": "train",
        "2": "train",
        "3": "dev",
        "4": "test",
    }
    assert rows["2"].labels == Labels(labels=HATE, targets=None)
    assert rows["1"].labels == Labels(labels=NO_HATE, targets=())
    assert rows["4"].labels == NOT_JUDGED
    assert rows["1"].text_from == "picture"
    assert rows["1"].media[0].path == "hateful_memes/img/00001.png"


def test_fine_grained_memes_keep_votes_and_leave_open_what_nobody_agreed_on(tmp_path: Path) -> None:
    rows = written(tmp_path, "fine_grained_hateful_memes")
    assert rows["11"].labels == Labels(labels=HATE, targets=("race", "religion"), attacks=None)
    assert [vote.targets for vote in rows["11"].votes] == [("religion",), ("race", "religion"), ("other",)]
    assert rows["10"].labels == Labels(labels=NO_HATE, targets=(), attacks=())
    assert rows["10"].votes == ()


def test_mami_says_sexism_and_leaves_hate_open(tmp_path: Path) -> None:
    rows = written(tmp_path, "mami")
    sexist = rows["train-2.jpg"]
    assert sexist.labels.labels == {"abuse": True, "sexism": True, "violence": False}
    assert sexist.labels.targets == ("sex",)
    assert sexist.labels.attacks == ("mocking", "dehumanizing")
    assert rows["train-1.jpg"].text == 'a "quoted" cake recipe'
    assert rows["test-9.jpg"].split == "test"
    assert rows["test-9.jpg"].source_labels == ("misogynous", "stereotype")


def test_mmhs150k_goes_by_the_majority_of_its_annotators(tmp_path: Path) -> None:
    rows = written(tmp_path, "mmhs150k")
    assert rows["100"].labels == Labels(labels=NO_HATE, targets=())
    assert rows["101"].labels == Labels(labels=HATE, targets=("religion",))
    assert rows["102"].labels == Labels(labels=HATE, targets=None)
    assert rows["101"].split == "dev"
    assert rows["100"].text_from == "post"
    assert [vote.labels["hate"] for vote in rows["100"].votes] == [False, False, True]


def test_mmhs150k_names_a_post_that_is_in_no_split(tmp_path: Path) -> None:
    published.mmhs150k(tmp_path)
    published.write_text(tmp_path / "MMHS150K/splits/val_ids.txt", "")
    with pytest.raises(DatasetError, match=r"MMHS150K_GT.json, row 101: in none of the lists"):
        rows_of(tmp_path, "mmhs150k")


def test_memotion_grades_offence(tmp_path: Path) -> None:
    rows = written(tmp_path, "memotion_1")
    assert [row.labels.severity for row in rows.values()] == [0, 1, 2, 3]
    assert [row.labels.labels for row in rows.values()] == [{"abuse": False}, {}, {"abuse": True}, {"abuse": True}]
    assert rows["image_1.jpg"].text == "caption 1 about tea"


def test_the_second_memotion_has_splits_of_its_own(tmp_path: Path) -> None:
    rows = written(tmp_path, "memotion_2")
    assert [row.split for row in rows.values()] == ["train", "dev"]
    assert rows["train-7"].media[0].path == "memotion2/train_images/7.jpg"


def test_hatexplain_keeps_votes_targets_and_rationales(tmp_path: Path) -> None:
    rows = written(tmp_path, "hatexplain")
    post = rows["b_gab"]
    assert post.split == "dev"
    assert post.labels == Labels(labels=HATE, targets=("sex",))
    assert [post.text[start:end] for start, end in post.rationale] == ["two"]
    assert post.votes[0].targets == ("religion", "sex")
    assert rows["a_gab"].labels == Labels(labels=NO_HATE, targets=())
    assert (rows["c_gab"].split, rows["c_gab"].labels) == ("excluded", NOT_JUDGED)
    assert rows["c_gab"].excluded


def test_hatexplain_is_read_from_its_majority_labels_too(tmp_path: Path) -> None:
    published.hatexplain_majority(tmp_path)
    normal, offensive = rows_of(tmp_path, "hatexplain").values()
    assert normal.labels == Labels(labels=NO_HATE, targets=())
    assert offensive.labels == Labels(labels={"abuse": True, "hate": False}, targets=("nationality",))
    assert offensive.split == "dev"


def test_olid_tells_insults_from_swearing(tmp_path: Path) -> None:
    rows = written(tmp_path, "olid")
    assert rows["1"].text == '@USER a "fine" day URL'
    assert rows["2"].labels.labels == {"abuse": True, "insult": True}
    assert rows["3"].labels.labels == {"abuse": True, "profanity": True}
    assert rows["4"].labels.labels == {"abuse": True}
    assert (rows["5"].split, rows["5"].labels.labels) == ("test", {"abuse": False})


@pytest.mark.parametrize(("name", "lang"), [("hatecheck", "en"), ("multilingual_hatecheck", "de")])
def test_functional_suites_measure_and_never_train(name: str, lang: str, tmp_path: Path) -> None:
    rows = list(written(tmp_path, name).values())
    assert {row.split for row in rows} == {"diagnostic"}
    assert rows[0].lang == lang
    assert rows[0].labels == Labels(labels=NO_HATE, targets=())
    assert rows[0].facts["functionality"] == "ident_pos_nh"
    assert rows[0].facts["target"] == "women"


def test_h_vli_keeps_the_labels_of_its_parts(tmp_path: Path) -> None:
    rows = written(tmp_path, "h_vli")
    emergent = rows["1"]
    assert emergent.facts == {"pattern": "001", "difficulty": "hard"}
    assert emergent.labels == Labels(labels=HATE, targets=("religion",))
    assert emergent.by_modality["text"].labels == emergent.by_modality["image"].labels == NO_HATE
    assert rows["2"].by_modality["text"] == Labels(labels=HATE, targets=("race",))


def test_h_vli_says_when_a_pattern_is_not_that_of_its_labels(tmp_path: Path) -> None:
    published.h_vli(tmp_path)
    path = tmp_path / "h_vli/train_set.json"
    post = {"text_label_str": "NotHate", "image_label_str": "NotHate", "final_label_str": "Racist", "type": "110"}
    published.write_text(path, json.dumps({"9": post}))
    with pytest.raises(DatasetError, match="row 9: type is '110', but its three labels say '001'"):
        rows_of(tmp_path, "h_vli")


def test_religious_memes_are_judged_and_propaganda_is_not(tmp_path: Path) -> None:
    religious = written(tmp_path, "religious_memes")
    assert religious["2"].labels == Labels(labels=HATE, targets=("religion",))
    assert (religious["1"].group, religious["2"].group) == ("g", None)
    propaganda = rows_of(tmp_path, "propaganda_memes")["5"]
    assert propaganda.labels == NOT_JUDGED
    assert propaganda.source_labels == ("Doubt", "Slogans")


def test_an_unknown_label_is_an_error_with_file_row_and_label(tmp_path: Path) -> None:
    published.write_text(
        tmp_path / "olid/olid-training-v1.0.tsv",
        "id\ttweet\tsubtask_a\tsubtask_b\tsubtask_c\n1\thello\tMAYBE\tNULL\tNULL\n",
    )
    with pytest.raises(DatasetError, match=r"olid-training-v1.0.tsv, row 2: subtask_a 'MAYBE' is mapped to nothing"):
        rows_of(tmp_path, "olid")


def test_an_unknown_technique_is_an_error_though_it_means_nothing_to_us(tmp_path: Path) -> None:
    row = {"id": "5", "split": "train", "image": "images/5.png", "labels": ["Telepathy"], "text": "vote"}
    published.write_lines(tmp_path / "memes/propaganda/labels.jsonl", [row])
    with pytest.raises(DatasetError, match=r"labels.jsonl, row 1: labels 'Telepathy'"):
        rows_of(tmp_path, "propaganda_memes")


def test_a_missing_field_and_broken_json_are_errors_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "hateful_memes/train.jsonl"
    published.write_text(path, '{"id": 1, "img": "img/1.png", "label": 0}\n')
    with pytest.raises(DatasetError, match=r"train.jsonl, row 1: no field text; it has id, img, label"):
        rows_of(tmp_path, "hateful_memes")
    published.write_text(path, '{"id": 1\n')
    with pytest.raises(DatasetError, match=r"train.jsonl, row 1: .*expected JSON"):
        rows_of(tmp_path, "hateful_memes")


def test_the_pool_is_read_with_the_licences_that_its_folder_states(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    usual = {
        "lang": "de",
        "split": "train",
        "licence": "A",
        "attacks": [],
        "implicit": None,
        "severity": None,
        "rationale_spans": [],
        "context": None,
        "label_note": "note",
    }
    abusive = {"id": "gahd:1", "dataset": "gahd", "text": "stand-in", "abuse": 1, "hate": None, "targets": ["race"]}
    polite = {"id": "gahd:2", "dataset": "gahd", "text": "guten Tag", "abuse": 0, "hate": 0, "targets": []}
    frame = pd.DataFrame(
        [usual | abusive | {"categories": ["toxic", "insult"]}, usual | polite | {"categories": [], "severity": 0}]
    )
    frame.to_parquet(tmp_path / "text_pool.parquet")
    published.write_text(tmp_path / "licences/gahd.txt", "gahd\nLicence: CC BY 4.0\n")
    first, second = rows_of(tmp_path, "pool").values()
    assert first.labels == Labels(labels={"abuse": True, "insult": True}, targets=("race",), attacks=None)
    assert second.labels == Labels(labels=NO_HATE, targets=(), attacks=(), severity=0)
    assert (first.dataset, first.licence, first.lang) == ("pool/gahd", "CC BY 4.0", "de")
