"""Small data sets in the shapes that their authors publish, with neutral texts."""

from __future__ import annotations

import csv
import json
import lzma
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

SIDE = 64


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".xz":
        with lzma.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        path.write_text(text, encoding="utf-8")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])


def write_picture(path: Path, seed: int) -> None:
    """Coarse noise: each seed another picture to PDQ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    picture = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    written, data = cv2.imencode(".png", picture)
    assert written
    path.write_bytes(data.tobytes())


def hateful_memes(data: Path) -> None:
    folder = data / "hateful_memes"
    write_lines(
        folder / "train.jsonl",
        [
            {"id": 1, "img": "img/00001.png", "label": 0, "text": "a quiet morning by the lake"},
            {"id": 2, "img": "img/00002.png", "label": 1, "text": "stand-in for a hateful caption"},
        ],
    )
    write_lines(
        folder / "dev_seen.jsonl", [{"id": 3, "img": "img/00003.png", "label": 0, "text": "two cats on a warm roof"}]
    )
    write_lines(
        folder / "dev_unseen.jsonl", [{"id": 3, "img": "img/00003.png", "label": 0, "text": "two cats on a warm roof"}]
    )
    write_lines(folder / "test.jsonl", [{"id": 4, "img": "img/00004.png", "text": "a bridge in thick fog"}])
    for number in range(1, 5):
        write_picture(folder / f"img/{number:05}.png", number)


def fine_grained(data: Path) -> None:
    write_lines(
        data / "named/fine_grained_hateful_memes/annotations_train.json.xz",
        [
            {
                "id": 10,
                "set_name": "train",
                "img": "img/10.png",
                "text": "soup of the day",
                "gold_hate": ["not_hateful"],
                "gold_pc": ["pc_empty"],
                "gold_attack": ["attack_empty"],
                "pc": "None",
                "attack": "None",
            },
            {
                "id": 11,
                "set_name": "train",
                "img": "img/11.png",
                "text": "stand-in for an attack",
                "gold_hate": ["hateful"],
                "gold_pc": ["religion", "race"],
                "gold_attack": ["attack_empty"],
                "pc": [["religion"], ["religion", "race"], ["class"]],
                "attack": [["mocking"], ["contempt"], []],
            },
        ],
    )


def mami(data: Path) -> None:
    header = ("file_name", "misogynous", "shaming", "stereotype", "objectification", "violence", "Text Transcription")
    write_table(
        data / "mami/training.csv",
        header,
        [
            ("1.jpg", "0", "0", "0", "0", "0", 'a "quoted" cake recipe'),
            ("2.jpg", "1", "1", "0", "1", "0", "stand-in for a caption"),
        ],
        "\t",
    )
    write_table(data / "mami/test/Test.csv", ("file_name", "Text Transcription"), [("9.jpg", "a tall tree")], "\t")
    write_text(data / "mami/test/test_labels.txt", "9.jpg\t1\t0\t1\t0\t0\n")


def mmhs150k(data: Path) -> None:
    folder = data / "MMHS150K"
    posts = {
        "100": {"tweet_text": "the bus is late again", "labels": [0, 0, 1]},
        "101": {"tweet_text": "stand-in for hate on a group", "labels": [4, 4, 1]},
        "102": {"tweet_text": "stand-in that they name in three ways", "labels": [1, 2, 5]},
    }
    names = ("NotHate", "Racist", "Sexist", "Homophobe", "Religion", "OtherHate")
    for post in posts.values():
        post |= {
            "labels_str": [names[label] for label in cast("list[int]", post["labels"])],
            "img_url": "",
            "tweet_url": "",
        }
    write_text(folder / "MMHS150K_GT.json", json.dumps(posts))
    for part, ids in (("train", "100\n102\n"), ("val", "101\n"), ("test", "")):
        write_text(folder / f"splits/{part}_ids.txt", ids)


def memotion_1(data: Path) -> None:
    header = ("", "image_name", "text_ocr", "text_corrected", "humour", "sarcasm", "offensive", "motivational")
    rows = [
        (str(at), f"image_{at}.jpg", "OCR", f"caption {at} about {thing}", "funny", "general", offence, "motivational")
        for at, (thing, offence) in enumerate(
            [("rain", "not_offensive"), ("tea", "slight"), ("cars", "very_offensive"), ("x", "hateful_offensive")]
        )
    ]
    write_table(data / "memotion_dataset_7k/labels.csv", header, rows)


def memotion_2(data: Path) -> None:
    header = ("Id", "image_url", "ocr_text", "humour", "sarcastic", "offensive", "motivational", "overall_sentiment")
    row = ("", "a long walk home", "funny", "not_sarcastic", "not_offensive", "motivational", "neutral")
    write_table(data / "memotion2/Memotion2/memotion_train.csv", header, [("7", *row)])
    write_table(data / "memotion2/Memotion2/memotion_val.csv", header, [("8", *row)])


def hatexplain(data: Path) -> None:
    def post(name: str, labels: Sequence[str], targets: Sequence[Sequence[str]], marks: Sequence[Sequence[int]]) -> Any:
        annotators = [
            {"label": label, "annotator_id": at, "target": list(whom)}
            for at, (label, whom) in enumerate(zip(labels, targets, strict=True))
        ]
        return {"post_id": name, "annotators": annotators, "rationales": marks, "post_tokens": ["one", "two", "three"]}

    none = [["None"]] * 3
    posts = {
        "a_gab": post("a_gab", ["normal", "normal", "offensive"], none, []),
        "b_gab": post(
            "b_gab",
            ["hatespeech", "hatespeech", "normal"],
            [["Women", "Islam"], ["Women"], ["None"]],
            [[0, 1, 1], [0, 1, 0], [1, 1, 0]],
        ),
        "c_gab": post("c_gab", ["normal", "hatespeech", "offensive"], none, []),
    }
    write_text(data / "hatexplain/Data/dataset.json", json.dumps(posts))
    write_text(
        data / "hatexplain/Data/post_id_divisions.json", json.dumps({"train": ["a_gab"], "val": ["b_gab"], "test": []})
    )


def hatexplain_majority(data: Path) -> None:
    rows = [
        {"text": "rain until noon", "split": "train", "label": "normal", "domain": "None"},
        {"text": "stand-in for offence", "split": "val", "label": "offensive", "domain": "Refugee"},
    ]
    write_text(data / "named/hatexplain/hatexplain_majority_label.json.xz", json.dumps(rows))


def olid(data: Path) -> None:
    header = ("id", "tweet", "subtask_a", "subtask_b", "subtask_c")
    rows = [
        ("1", '@USER a "fine" day URL', "NOT", "NULL", "NULL"),
        ("2", "@USER stand-in for an insult", "OFF", "TIN", "IND"),
        ("3", "stand-in for swearing", "OFF", "UNT", "NULL"),
        ("4", "stand-in for offence at a group", "OFF", "TIN", "GRP"),
    ]
    write_table(data / "olid/olid-training-v1.0.tsv", header, rows, "\t")
    write_table(data / "olid/testset-levela.tsv", ("id", "tweet"), [("5", "@USER thanks")], "\t")
    write_text(data / "olid/labels-levela.csv", "5,NOT\n")


def hatecheck(data: Path) -> None:
    header = ("", "functionality", "case_id", "test_case", "label_gold", "target_ident", "direction", "case_templ")
    write_table(
        data / "named/hatecheck/test_suite_cases.csv",
        header,
        [
            (
                "0",
                "ident_pos_nh",
                "1",
                "Our town is proud of its women. ",
                "non-hateful",
                "women",
                "",
                "P [IDENTITY_P].",
            ),
            ("1", "target_obj_nh", "2", "Stand-in about rainy weekends.", "non-hateful", "", "", "Stand-in."),
        ],
    )


def multilingual_hatecheck(data: Path) -> None:
    header = ("mhc_case_id", "functionality", "test_case", "label_gold", "target_ident", "templ_id", "case_templ")
    row = ("german-1", "ident_pos_nh", "Wir feiern heute mit Frauen.", "non-hateful", "women", "1", "W [IDENT_P].")
    write_table(data / "multilingual_hatecheck/hatecheck_cases_final_german.csv", header, [row])


def h_vli(data: Path) -> None:
    names = {0: "NotHate", 1: "Racist", 4: "Religion"}

    def post(text: int, image: int, final: int, kind: str, difficulty: str) -> dict[str, Any]:
        labels = {"text": text, "image": image, "final": final}
        said = {f"{part}_label_str": names[label] for part, label in labels.items()}
        return {"tweet_text": f"post {kind}", "image_path": f"imgs/H-VLI_images/{kind}.jpeg", "type": kind} | {
            "difficulty": difficulty,
            **said,
        }

    posts = {"1": post(0, 0, 4, "001", "hard"), "2": post(1, 0, 0, "100", "normal")}
    write_text(data / "named/h_vli/train_set.json.xz", json.dumps(posts))


def memes(data: Path) -> None:
    write_lines(
        data / "memes/religious/labels.jsonl",
        [
            {"id": "1", "image": "images/1.png", "text": "bells", "label": 0, "label_name": "not_hateful"}
            | {"dup_group": "g", "split": "train"},
            {"id": "2", "image": "images/2.png", "text": "stand-in", "label": 1, "label_name": "hateful"}
            | {"dup_group": "", "split": "dev"},
        ],
    )
    for number in (1, 2):
        write_picture(data / f"memes/religious/images/{number}.png", 100 + number)
    write_lines(
        data / "memes/propaganda/labels.jsonl",
        [{"id": "5", "split": "train", "image": "images/5.png", "labels": ["Doubt", "Slogans"], "text": "vote"}],
    )


def clips(data: Path) -> None:
    write_lines(
        data / "media/speech_clips/manifest.jsonl",
        [{"file": "a.wav", "kind": "speech", "lang": "en", "transcript": "hello", "licence": "CC0 1.0"}],
    )


ALL: Mapping[str, Callable[[Path], None]] = {
    "hateful_memes": hateful_memes,
    "fine_grained_hateful_memes": fine_grained,
    "mami": mami,
    "mmhs150k": mmhs150k,
    "memotion_1": memotion_1,
    "memotion_2": memotion_2,
    "hatexplain": hatexplain,
    "olid": olid,
    "hatecheck": hatecheck,
    "multilingual_hatecheck": multilingual_hatecheck,
    "h_vli": h_vli,
    "religious_memes": memes,
    "propaganda_memes": memes,
    "speech_clips": clips,
}
"""Set -> what writes it below a data folder."""
