"""`pack check` opens the graph, and finds the one that scores a post differently in company."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto

from processors.packs.check import Level, Problem, check_pack
from tests.tiny_pack import tiny_manifest, write_graph, write_manifest, write_tiny_pack


def errors(folder: Path) -> list[Problem]:
    return [problem for problem in check_pack(folder) if problem.level is Level.ERROR]


def test_a_sound_pack_has_no_errors_and_warnings_only_about_missing_figures(folder: Path) -> None:
    assert errors(folder) == []
    assert {problem.message for problem in check_pack(folder)} == {"measured, but without figures on dev"}


def test_rows_that_influence_each_other_are_found_where_the_manifest_says_they_do_not(tmp_path: Path) -> None:
    [problem] = errors(write_tiny_pack(tmp_path / "leaky", leaky=True, isolation="batch"))
    assert problem.field == "text.isolation"
    assert "moves by" in problem.message


def test_the_same_graph_is_sound_when_its_rows_run_alone(tmp_path: Path) -> None:
    assert errors(write_tiny_pack(tmp_path / "leaky", leaky=True, isolation="row")) == []


def test_a_pack_that_does_not_load_is_one_problem(folder: Path) -> None:
    (folder / "text.onnx").unlink()
    [problem] = check_pack(folder)
    assert str(problem) == f"{folder / 'text.onnx'}: error: no such file, but manifest.json names it in text.graph"


def test_a_file_that_no_hash_covers_is_found_and_files_for_people_are_not(folder: Path) -> None:
    (folder / "text.onnx.data").write_bytes(b"external weights")
    (folder / "README.md").write_text("The model card.")
    [problem] = errors(folder)
    assert problem.file == str(folder / "text.onnx.data")


def test_a_graph_that_is_none_is_found(folder: Path) -> None:
    (folder / "text.onnx").write_bytes(b"not a graph")
    write_manifest(folder, tiny_manifest(folder))
    [problem] = errors(folder)
    assert "cannot be loaded" in problem.message


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("inputs", {"ids": {"name": "tokens", "dtype": "int64"}}, "the graph has no 'tokens'; expected one of"),
        ("inputs", {"mask": {"name": "mask", "dtype": "int32"}}, "int32, but the graph has int64"),
        (
            "outputs",
            {"logits": {"name": "pooled", "dtype": "float32"}},
            "the graph has shape [any, 8]; expected [any, 3]",
        ),
    ],
)
def test_inputs_and_outputs_are_compared_with_the_graph(
    folder: Path, section: str, change: dict[str, object], message: str
) -> None:
    manifest = tiny_manifest(folder)
    manifest["text"][section] |= change
    write_manifest(folder, manifest)
    assert message in " ".join(problem.message for problem in errors(folder))


def test_a_graph_with_too_few_heads_is_found(folder: Path) -> None:
    write_graph(folder / "text.onnx", heads=2)
    write_manifest(folder, tiny_manifest(folder))
    [problem] = errors(folder)
    assert (problem.field, problem.message) == (
        "text.outputs.logits",
        "the graph has shape [any, 2]; expected [any, 3]",
    )


def test_a_graph_that_takes_int32_works_when_the_manifest_says_so(folder: Path) -> None:
    write_graph(folder / "text.onnx", dtype=TensorProto.INT32)
    manifest = tiny_manifest(folder)
    for tensor in manifest["text"]["inputs"].values():
        tensor["dtype"] = "int32"
    write_manifest(folder, manifest)
    assert errors(folder) == []
