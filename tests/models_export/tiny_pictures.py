"""A tiny pack with every picture part, with licences, and with a fusion."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from models_export.packing.parts import SHIPPED
from tests.tiny_fusion import add_tiny_fusion
from tests.tiny_image import add_tiny_image, write_image_graph
from tests.tiny_pack import described, write_manifest, write_tiny_pack


def write_picture_pack(folder: Path) -> Path:
    """The graphs that read and tell scripts apart load, and do nothing useful."""
    write_tiny_pack(folder)
    add_tiny_image(folder)
    manifest = read_manifest(folder)
    ocr = {
        **{name: _ocr_graph(folder, name) for name in ("detection", "recognition")},
        "reads": ["Latn"],
        "script": {
            "graph": _graph(folder, "ocr/script/script.onnx"),
            "input": {"name": "pictures", "dtype": "float32"},
            "output": {"name": "logits", "dtype": "float32"},
            "height": 16,
            "scripts": ["Latn", "Cyrl"],
            "threshold": 0.6,
            "origin": {"name": "tiny script expert", "licence": "CC0-1.0"},
        },
        "origin": {"name": "tiny reader", "licence": "Apache-2.0", "url": "https://example.org/reader"},
    }
    (folder / "ocr" / "LICENSE").write_text("Apache License", encoding="utf-8")
    (folder / "NOTICE-image").write_text("It sees the mean colour.", encoding="utf-8")
    write_manifest(folder, {**manifest, "ocr": ocr})
    return add_tiny_fusion(folder)


def write_reading_pack(folder: Path) -> Path:
    """The same with graphs that do read: those that ship."""
    write_picture_pack(folder)
    shutil.rmtree(folder / "ocr")
    shutil.copytree(SHIPPED / "ocr", folder / "ocr")
    write_manifest(folder, {**read_manifest(folder), "ocr": read_manifest(SHIPPED)["ocr"]})
    return folder


def read_manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by its path below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _ocr_graph(folder: Path, name: str) -> dict[str, Any]:
    graph = _graph(folder, f"ocr/{name}/inference.onnx")
    config = folder / "ocr" / name / "inference.yml"
    config.write_text("Global: {model_name: tiny}\n", encoding="utf-8")
    return {"graph": graph, "config": {**described(config), "path": f"ocr/{name}/inference.yml"}}


def _graph(folder: Path, path: str) -> dict[str, Any]:
    (folder / path).parent.mkdir(parents=True)
    write_image_graph(folder / path)
    return {**described(folder / path), "path": path}
