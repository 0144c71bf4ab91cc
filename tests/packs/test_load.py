"""A pack is verified before anything of it is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processors.packs import PackError, load_pack
from schemas import LABELS
from tests.tiny_pack import MEASURED, described, tiny_manifest, write_manifest


def test_a_sound_pack_loads_with_its_hash_in_its_version(folder: Path) -> None:
    pack = load_pack(folder)
    assert pack.version == f"tiny@{pack.hash[:12]}"
    assert pack.manifest.measured == MEASURED
    assert pack.layout.window_tokens == 24


def test_labels_without_a_measured_head_are_not_assessed(folder: Path) -> None:
    pack = load_pack(folder)
    assert pack.not_assessed == tuple(label for label in LABELS if label not in MEASURED)
    assert "profanity" in pack.not_assessed  # it has a head, and that was not measured


def test_a_language_that_no_card_names_is_unsupported(folder: Path) -> None:
    pack = load_pack(folder)
    assert [pack.language_status(lang) for lang in ("en", "de", "xx", "tlh")] == [
        "measured",
        "zero_shot",
        "unsupported",
        "unsupported",
    ]


def test_the_hash_is_of_what_the_manifest_says_and_not_of_its_layout(folder: Path) -> None:
    before = load_pack(folder).hash
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(dict(reversed(manifest.items()))))
    assert load_pack(folder).hash == before
    write_manifest(folder, manifest | {"version": "2"})
    assert load_pack(folder).hash != before


@pytest.mark.parametrize("name", ["text.onnx", "tokenizer.json"])
def test_a_file_with_one_changed_byte_is_refused(folder: Path, name: str) -> None:
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(PackError, match=r"SHA-256 \w+; expected \w+") as caught:
        load_pack(folder)
    assert caught.value.file == path


def test_a_file_of_another_size_is_refused_before_it_is_read_in_full(folder: Path) -> None:
    with (folder / "text.onnx").open("ab") as file:
        file.write(b"more")
    with pytest.raises(PackError, match=r"text\.onnx: [\d,]+ bytes; expected [\d,]+ \(text\.graph\.bytes"):
        load_pack(folder)


def test_a_file_that_is_missing_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(PackError, match=r"tokenizer\.json: no such file, but manifest\.json names it"):
        load_pack(folder)


def test_further_files_are_verified_too(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"weights")
    manifest = tiny_manifest(folder)
    manifest["files"] = [described(folder / "weights.bin")]
    write_manifest(folder, manifest)
    load_pack(folder)
    (folder / "weights.bin").write_bytes(b"Weights")
    with pytest.raises(PackError, match=r"weights\.bin: SHA-256"):
        load_pack(folder)


@pytest.mark.parametrize("path", ["../outside.onnx", "/etc/passwd", "a/../../outside.onnx", "..\\outside.onnx"])
def test_a_path_that_leads_out_of_the_pack_is_refused(folder: Path, path: str) -> None:
    (folder.parent / "outside.onnx").write_bytes((folder / "text.onnx").read_bytes())
    manifest = tiny_manifest(folder)
    manifest["text"]["graph"]["path"] = path
    write_manifest(folder, manifest)
    with pytest.raises(PackError, match="leads out of the pack") as caught:
        load_pack(folder)
    assert caught.value.field == "text.graph.path"


def test_no_folder_and_no_manifest_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no such folder; expected a model pack"):
        load_pack(tmp_path / "nowhere")
    with pytest.raises(PackError, match="no such file; expected a manifest"):
        load_pack(tmp_path)


Spoil = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("spoil", "field", "message"),
    [
        pytest.param(lambda m: m.update(schema="pack/2"), "schema", "unknown schema 'pack/2'", id="another schema"),
        pytest.param(lambda m: m.pop("text"), "text", "required, but missing", id="a missing field"),
        pytest.param(lambda m: m.update(treshold=1), None, "unknown field treshold", id="a misspelt field"),
        pytest.param(
            lambda m: m["text"]["heads"].__setitem__(2, "rudeness"),
            "text.heads[2]",
            "'rudeness' is no head; expected one of abuse",
            id="a head that nobody knows",
        ),
        pytest.param(lambda m: m["text"]["heads"].__setitem__(2, "abuse"), "text.heads", "twice", id="a head twice"),
        pytest.param(lambda m: m["labels"].pop("profanity"), "labels", "no card for 'profanity'", id="no card"),
        pytest.param(
            lambda m: m["labels"].update(spam={"status": "measured"}),
            "labels.spam.status",
            "no such head",
            id="measured without a head",
        ),
        pytest.param(
            lambda m: m["calibration"].pop("hate"), "calibration", "measured heads as keys", id="uncalibrated"
        ),
        pytest.param(
            lambda m: m["thresholds"].update(profanity=0.5),
            "thresholds",
            "too many: profanity",
            id="threshold too many",
        ),
        pytest.param(lambda m: m["thresholds"].update(hate=1.5), "thresholds[...]", "<= 1", id="a threshold over 1"),
        pytest.param(
            lambda m: m["calibration"]["hate"].update(temperature=0), "calibration", "> 0", id="a temperature of 0"
        ),
        pytest.param(
            lambda m: m["text"]["layout"]["languages"].pop("und"), "text.layout.languages", "'und'", id="no und token"
        ),
        pytest.param(
            lambda m: m["text"]["layout"]["markers"].pop("parent"), "text.layout.markers", "'parent'", id="no marker"
        ),
        pytest.param(
            lambda m: m["text"]["layout"].update(order=["text", "caption"]),
            "text.layout.order",
            "'caption'",
            id="field",
        ),
        pytest.param(
            lambda m: m["text"]["layout"].update(context_tokens=18), "text.layout", "leaves 2 tokens", id="no room"
        ),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused_with_the_field_and_what_is_expected(
    folder: Path, spoil: Spoil, field: str | None, message: str
) -> None:
    manifest = tiny_manifest(folder)
    spoil(manifest)
    write_manifest(folder, manifest)
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    assert message in str(caught.value)
    assert str(folder / "manifest.json") in str(caught.value)
    if field is None:
        assert caught.value.field is None
    else:
        assert (caught.value.field or "").startswith(field.partition("[...]")[0])


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema": "pack/1"}', b"[" * 100_000])
def test_a_manifest_that_is_none_is_one_clear_error(folder: Path, raw: bytes) -> None:
    (folder / "manifest.json").write_bytes(raw)
    with pytest.raises(PackError, match=r"manifest\.json: "):
        load_pack(folder)


def test_token_ids_that_the_tokenizer_lacks_are_refused(folder: Path) -> None:
    manifest = tiny_manifest(folder)
    manifest["text"]["layout"]["languages"]["en"] = 9_999
    write_manifest(folder, manifest)
    with pytest.raises(PackError, match=r"text\.layout\.languages\.en: token id 9999, but tokenizer\.json has \d+"):
        load_pack(folder).load_tokenizer()


def test_a_tokenizer_that_is_none_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    write_manifest(folder, tiny_manifest(folder))
    with pytest.raises(PackError, match=r"tokenizer\.json: not a tokenizer"):
        load_pack(folder).load_tokenizer()
