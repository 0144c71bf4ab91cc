"""Picture parts go from one pack into another as they are, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models_export.packing.parts import SHIPPED, legal_files, read_pictures, with_parts
from processors.packs import PackError, load_pack
from tests.models_export.tiny_pictures import contents, read_manifest, write_picture_pack
from tests.tiny_pack import described, write_manifest, write_tiny_pack

FILES = {
    "NOTICE-image",
    "fusion.onnx",
    "image.onnx",
    "ocr/LICENSE",
    "ocr/detection/inference.onnx",
    "ocr/detection/inference.yml",
    "ocr/recognition/inference.onnx",
    "ocr/recognition/inference.yml",
    "ocr/script/script.onnx",
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_picture_pack(tmp_path / "base")


def text_expert(base: Path, **changed: Any) -> dict[str, Any]:
    """The manifest of the base without its picture parts."""
    kept = {name: value for name, value in read_manifest(base).items() if name not in ("ocr", "image", "fusion")}
    return kept | changed


def test_a_pack_with_the_parts_of_another_has_its_files_to_the_byte_and_loads(base: Path, tmp_path: Path) -> None:
    new = write_tiny_pack(tmp_path / "new")
    own = set(contents(new))
    pictures = read_pictures(base)
    pictures.copy(new)
    write_manifest(new, with_parts(read_manifest(new), pictures.parts(read_manifest(new))))
    assert set(contents(new)) - own == FILES
    assert {name: contents(new)[name] for name in FILES} == {name: contents(base)[name] for name in FILES}
    assert load_pack(new).hash == load_pack(base).hash


def test_what_is_the_text_experts_stays_where_it_is(base: Path) -> None:
    (base / "NOTICE-text").write_text("Of the text expert.")
    (base / "LICENSE").write_text("Of the pack.")
    assert {str(path) for path in read_pictures(base).files()} == FILES


@pytest.mark.parametrize("change", [{"calibration": {"abuse": {"temperature": 2.0}}}, {"text": {"heads": ["abuse"]}}])
def test_the_fusion_is_left_out_where_the_text_expert_is_another(base: Path, change: dict[str, Any]) -> None:
    pictures = read_pictures(base)
    assert set(pictures.parts(text_expert(base))) == {"ocr", "image", "fusion"}
    assert set(pictures.parts(text_expert(base, **change))) == {"ocr", "image"}


def test_files_of_a_part_that_is_left_out_stay_where_they_are(base: Path, tmp_path: Path) -> None:
    pictures = read_pictures(base)
    new = write_tiny_pack(tmp_path / "new")
    held = pictures.parts(text_expert(base, calibration={"abuse": {"temperature": 2.0}}))
    pictures.copy(new, held)
    assert (new / "image.onnx").is_file()
    assert not (new / "fusion.onnx").exists()


def test_a_pack_that_reads_text_alone_has_nothing_to_give(tmp_path: Path) -> None:
    pictures = read_pictures(write_tiny_pack(tmp_path / "plain"))
    assert pictures.files() == ()
    assert pictures.parts(pictures.manifest) == {}


def test_a_damaged_pack_gives_nothing(base: Path) -> None:
    (base / "ocr" / "detection" / "inference.yml").write_text("Global: {model_name: tine}\n")
    with pytest.raises(PackError, match="SHA-256"):
        read_pictures(base)


def test_a_pack_with_files_of_unknown_use_cannot_be_split(base: Path) -> None:
    (base / "weights.bin").write_bytes(b"whose?")
    write_manifest(base, {**read_manifest(base), "files": [described(base / "weights.bin")]})
    with pytest.raises(ValueError, match="nothing says whether they are the text expert's"):
        read_pictures(base)


def test_no_file_of_the_text_expert_is_replaced(base: Path, tmp_path: Path) -> None:
    new = write_tiny_pack(tmp_path / "new")
    (new / "image.onnx").write_bytes(b"the text expert's own")
    with pytest.raises(FileExistsError, match="has a file of this name"):
        read_pictures(base).copy(new)
    assert (new / "image.onnx").read_bytes() == b"the text expert's own"


def test_parts_stand_behind_the_text_expert_in_their_order() -> None:
    manifest = {"schema": "pack/1", "text": 1, "labels": 2, "fusion": "old", "image": "old"}
    found = with_parts(manifest, {"ocr": "new", "image": "new"})
    assert list(found) == ["schema", "text", "ocr", "image", "fusion", "labels"]
    assert (found["ocr"], found["image"], found["fusion"]) == ("new", "new", "old")


@pytest.mark.parametrize("part", ["text", "ocr", "image"])
def test_the_shipped_graphs_have_their_licences_beside_them(part: str) -> None:
    found = [SHIPPED / path for path in legal_files(SHIPPED, part)]
    assert found
    assert "Copyright" in "".join(path.read_text(encoding="utf-8") for path in found)


def test_the_shipped_notice_of_the_backbone_is_the_one_that_packs_are_made_with() -> None:
    source = SHIPPED.parents[1] / "models_export" / "text_expert" / "NOTICE-text"
    assert (SHIPPED / "NOTICE-text").read_text(encoding="utf-8") == source.read_text(encoding="utf-8")
