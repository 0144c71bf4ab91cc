"""Shards hold what a worker would have, and pictures with words that are not theirs."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from models_export.datasets.manifest import DatasetError, MediaFile, Row
from models_export.datasets.media_files import sha256_of
from models_export.datasets.mismatches import Caption, mismatched
from models_export.datasets.readings import OcrRead
from models_export.datasets.shards import Shards, write_shards
from schemas import Status
from tests.datasets.made import TOPICS, judged
from tests.datasets.published import write_picture

COUNT = 20


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for at in range(COUNT):
        write_picture(folder / f"{at}.png", at)
    return folder


def memes(data: Path, **fields: Any) -> list[Row]:
    """Every topic has benign and hateful items in turn."""
    return [
        judged(
            str(at),
            hate=at % 2 == 1,
            text=f"{TOPICS[at % len(TOPICS)]} number {at}",
            media=(MediaFile(path=f"{at}.png", sha256=sha256_of(data / f"{at}.png")),),
            **fields,
        )
        for at in range(COUNT)
    ]


def samples(out: Path, shards: Shards) -> list[tuple[dict[str, Any], bytes]]:
    """The JSON and the picture of each item, in order, as a reader of WebDataset puts them together."""
    found: dict[str, dict[str, bytes]] = {}
    for shard in shards.shards:
        with tarfile.open(out / shard.file) as tar:
            for member in tar:
                key, _, part = member.name.partition(".")
                content = tar.extractfile(member)
                assert content is not None
                found.setdefault(key, {})[part] = content.read()
    return [(json.loads(parts["json"]), parts["png"]) for parts in found.values()]


def test_every_item_is_in_one_shard_with_its_picture(data: Path, tmp_path: Path) -> None:
    shards = write_shards(memes(data), data, None, tmp_path, items=8, mismatches=0)
    assert [shard.items for shard in shards.shards] == [8, 8, 4]
    found = samples(tmp_path, shards)
    assert {said["id"] for said, _ in found} == {f"made:{at}" for at in range(COUNT)}
    for said, picture in found:
        assert picture == (data / f"{said['id'].removeprefix('made:')}.png").read_bytes()
        assert not said["mismatch"]
    assert json.loads((tmp_path / "shards.json").read_text())["items"] == COUNT
    assert [sha256_of(tmp_path / shard.file) for shard in shards.shards] == [shard.sha256 for shard in shards.shards]


def test_a_mismatch_has_near_words_of_another_picture_and_no_labels(data: Path, tmp_path: Path) -> None:
    shards = write_shards(memes(data), data, None, tmp_path, mismatches=1.0)
    found = samples(tmp_path, shards)
    pairs = [(said, picture) for said, picture in found if said["mismatch"]]
    assert shards.mismatches == len(pairs) >= COUNT // 2
    for said, picture in pairs:
        at, other = (int(name.removeprefix("made:")) for name in (said["id"], said["words_of"]))
        assert at != other
        assert at % len(TOPICS) == other % len(TOPICS), "the topic is another"
        assert other % 2 == 0 or at % 2 == 0, "hateful words under a picture that was hateful itself"
        assert picture == (data / f"{at}.png").read_bytes()
        assert said["text"].endswith(f"number {other}")
        assert said["labels"] == {}


def test_transcripts_by_people_stay_out(data: Path, tmp_path: Path) -> None:
    rows = memes(data, text_from="picture")
    with pytest.raises(DatasetError, match="transcripts by people; expected what `modstream data extract` wrote"):
        write_shards(rows, data, None, tmp_path)
    read = {
        row.media[0].sha256 or "": OcrRead(
            sha256=row.media[0].sha256 or "", reader="r", status=Status.OK, text="as read", confidence=0.7, coverage=0.1
        )
        for row in rows[1:]
    }
    shards = write_shards(rows, data, (read, {}), tmp_path, mismatches=0)
    assert (shards.items, shards.left_out) == (COUNT - 1, 1)
    for said, _ in samples(tmp_path, shards):
        assert (said["text"], said["ocr"], said["ocr_confidence"]) == ("", "as read", 0.7)


def test_the_same_rows_give_the_same_bytes(data: Path, tmp_path: Path) -> None:
    rows = memes(data)
    one = write_shards(rows, data, None, tmp_path / "one")
    other = write_shards(rows[::-1], data, None, tmp_path / "other")
    assert one == other


def test_media_that_are_gone_or_were_replaced_are_left_out(data: Path, tmp_path: Path) -> None:
    rows = memes(data)
    outside = tmp_path / "outside.png"
    write_picture(outside, 99)
    rows[0] = replace(rows[0], media=(replace(rows[0].media[0], path="nowhere.png"),))
    rows[1] = replace(rows[1], media=(replace(rows[1].media[0], sha256="0" * 64),))
    away = MediaFile(path=os.path.relpath(outside, data), sha256=sha256_of(outside))
    rows[2] = replace(rows[2], media=(away,))
    shards = write_shards(rows, data, None, tmp_path / "out", mismatches=0)
    assert shards.left_out == 3
    assert {said["id"] for said, _ in samples(tmp_path / "out", shards)} == {one.id for one in rows[3:]}


def test_old_shards_are_not_left_behind_new_ones(data: Path, tmp_path: Path) -> None:
    write_shards(memes(data), data, None, tmp_path, items=4)
    with pytest.raises(DatasetError, match="has shards already; expected a folder without"):
        write_shards(memes(data), data, None, tmp_path)


def test_a_picture_of_two_items_is_not_mismatched_with_its_own_words(data: Path, tmp_path: Path) -> None:
    file = (MediaFile(path="0.png", sha256=sha256_of(data / "0.png")),)
    texts = ("a slow train to the coast", "one more slow train to the hills")
    rows = [judged(text, hate=False, text=text, media=file) for text in texts]
    assert write_shards(rows, data, None, tmp_path, mismatches=1.0).mismatches == 0


def test_only_the_split_asked_for_is_written(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no row of the split dev"):
        write_shards(memes(data), data, None, tmp_path, split="dev")


def test_words_go_to_another_picture_only_if_they_are_benign_or_of_the_other_label() -> None:
    captions = [
        Caption("a slow train to the coast", True),
        Caption("a slow train to the hills", True),
        Caption("the slow train was late to the coast", None),
        Caption("nothing in common here whatsoever", False),
    ]
    assert mismatched(captions).tolist() == [-1, -1, -1, -1]
    captions.append(Caption("one more slow train to somewhere", False))
    found = mismatched(captions)
    assert found[:4].tolist() == [4, 4, 4, -1]
    assert found[4] in (0, 1)


def test_captions_that_say_the_same_or_are_of_one_group_make_no_pair() -> None:
    same = [Caption("fish on fridays", False), Caption("Fish on Fridays!", False)]
    assert mismatched(same).tolist() == [-1, -1]
    group = [Caption("fish on fridays", False, "g"), Caption("fish and rice on fridays", False, "g")]
    assert mismatched(group).tolist() == [-1, -1]
    assert np.array_equal(mismatched([]), np.zeros(0, np.int64))
