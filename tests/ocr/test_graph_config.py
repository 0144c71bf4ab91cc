"""`inference.yml`, as PaddleOCR writes it and as an enemy might."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from processors.ocr.graph_config import (
    MAX_CONFIG_BYTES,
    DetectionConfig,
    read_detection_config,
    read_recognition_config,
)
from processors.packs import Pack, PackError

Document = dict[str, Any]


def detection() -> Document:
    return {
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"img_mode": "BGR"}},
                {"NormalizeImage": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "scale": "1./255."}},
            ]
        },
        "PostProcess": {"name": "DBPostProcess", "thresh": 0.2, "box_thresh": 0.45, "unclip_ratio": 1.4},
    }


def recognition() -> Document:
    return {
        "PreProcess": {
            "transform_ops": [{"DecodeImage": {"img_mode": "RGB"}}, {"RecResizeImg": {"image_shape": [3, 48, 320]}}]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": ["a", "b", "e\u0301"]},
    }


def written(folder: Path, document: object) -> Path:
    path = folder / "inference.yml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def test_detection_is_called_as_the_file_says(tmp_path: Path) -> None:
    config = read_detection_config(written(tmp_path, detection()))
    assert config == DetectionConfig(
        "BGR", 1 / 255, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), 0.2, 0.45, 1.4, max_candidates=1000
    )


def test_classes_are_the_blank_the_characters_and_the_space(tmp_path: Path) -> None:
    config = read_recognition_config(written(tmp_path, recognition()))
    assert (config.channels, config.height) == ("RGB", 48)
    assert config.characters == ("", "a", "b", "e\u0301", " ")


def test_the_packs_own_graph_knows_18708_characters(embedded: Pack) -> None:
    part = embedded.manifest.ocr
    assert part is not None
    assert len(read_recognition_config(embedded.folder / part.recognition.config.path).characters) == 18_710
    assert read_detection_config(embedded.folder / part.detection.config.path).threshold == 0.2


def no_operation(document: Document) -> None:
    document["PreProcess"]["transform_ops"] = [{"DecodeImage": {"img_mode": "BGR"}}]


def code_as_scale(document: Document) -> None:
    document["PreProcess"]["transform_ops"][1]["NormalizeImage"]["scale"] = "__import__('os').getpid()"


def flat_channel(document: Document) -> None:
    document["PreProcess"]["transform_ops"][1]["NormalizeImage"]["std"] = [1, 0, 1]


def polygons(document: Document) -> None:
    document["PostProcess"]["box_type"] = "poly"


def other_post_processing(document: Document) -> None:
    document["PostProcess"]["name"] = "SASTPostProcess"


def threshold_beyond_one(document: Document) -> None:
    document["PostProcess"]["thresh"] = 20


def no_channel_order(document: Document) -> None:
    document["PreProcess"]["transform_ops"][0] = {"DecodeImage": {"img_mode": "GRAY"}}


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (no_operation, "PreProcess.transform_ops"),
        (code_as_scale, "NormalizeImage.scale"),
        (flat_channel, "NormalizeImage.std"),
        (polygons, "PostProcess.box_type"),
        (other_post_processing, "PostProcess.name"),
        (threshold_beyond_one, "PostProcess.thresh"),
        (no_channel_order, "DecodeImage.img_mode"),
    ],
)
def test_what_would_be_called_otherwise_than_paddleocr_does_is_refused(
    tmp_path: Path, spoil: Callable[[Document], None], field: str
) -> None:
    document = detection()
    spoil(document)
    with pytest.raises(PackError) as caught:
        read_detection_config(written(tmp_path, document))
    assert caught.value.field == field
    assert "expected" in caught.value.reason


@pytest.mark.parametrize("characters", [[], [1, 2], ["a", ""], ["a" * 9], "abc", None, [["a"]]])
def test_a_character_list_is_a_list_of_characters(tmp_path: Path, characters: object) -> None:
    document = recognition()
    document["PostProcess"]["character_dict"] = characters
    with pytest.raises(PackError, match="character"):
        read_recognition_config(written(tmp_path, document))


@pytest.mark.parametrize("shape", [[3, 48], [1, 48, 320], [3, 4096, 320], "3,48,320", None])
def test_a_line_has_three_channels_and_a_sane_height(tmp_path: Path, shape: object) -> None:
    document = recognition()
    document["PreProcess"]["transform_ops"][1]["RecResizeImg"]["image_shape"] = shape
    with pytest.raises(PackError) as caught:
        read_recognition_config(written(tmp_path, document))
    assert caught.value.field == "RecResizeImg.image_shape"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"- a list",
        b"\xff\xfe\x00",
        b"a: [unclosed",
        b"!!python/object/apply:os.getpid []",
        b"a: &a [x, x]\nb: &b [*a, *a]\nPostProcess: {name: CTCLabelDecode, character_dict: [*b, *b]}",
        b"#" * (MAX_CONFIG_BYTES + 1),
    ],
)
def test_a_file_that_is_no_such_description_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "inference.yml"
    path.write_bytes(raw)
    with pytest.raises(PackError):
        read_recognition_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        read_detection_config(tmp_path / "inference.yml")
    assert caught.value.file == tmp_path / "inference.yml"
