"""The bill of materials names every model file that ships, with its hash and licence."""

from __future__ import annotations

import hashlib
import json

import pytest

from infra.checks.sbom import IMAGES, PACK, bill, model_components

MANIFEST = json.loads((PACK / "manifest.json").read_text(encoding="utf-8"))
NOT_MODELS = {"manifest.json", "MODEL_CARD.md", "NOTICE-image", "NOTICE-text"}


def test_every_file_of_the_pack_is_in_it_with_its_hash() -> None:
    components = {c["name"]: c["hashes"][0]["content"] for c in model_components(MANIFEST)}
    shipped = {str(path.relative_to(PACK)): path for path in PACK.rglob("*") if path.is_file()}
    for name, path in shipped.items():
        if path.name not in NOT_MODELS and not path.name.startswith(("NOTICE", "LICENSE")):
            assert components[name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_models_have_the_licence_of_where_they_come_from() -> None:
    components = {c["name"]: c for c in model_components(MANIFEST)}
    assert components["asr/model.bin"]["type"] == "machine-learning-model"
    assert components["asr/model.bin"]["licenses"] == [{"license": {"id": MANIFEST["asr"]["origin"]["licence"]}}]
    assert components["text.onnx"]["licenses"] == [{"license": {"id": MANIFEST["licence"]}}]
    assert components["tokenizer.json"]["type"] == "file"


@pytest.mark.infra
@pytest.mark.parametrize("image", IMAGES)
def test_a_bill_is_valid_and_holds_every_pinned_package(image: str) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-bom is in the extra `infra`")
    schema = pytest.importorskip("cyclonedx.schema")
    document = bill(image)
    names = {component["name"] for component in document["components"]}
    runtime = "onnxruntime-gpu" if image == "gpu" else "onnxruntime"
    assert {"confluent-kafka", "aiohttp", runtime, "text.onnx", "image.onnx"} <= names
    references = [component["bom-ref"] for component in document["components"]]
    assert len(references) == len(set(references))
    # The packages are as cyclonedx-py writes them; to validate their hundred addresses takes minutes.
    ours = [component for component in document["components"] if component["bom-ref"].startswith("pack:")]
    assert len(ours) == len(model_components(MANIFEST))
    validator = validation.JsonStrictValidator(schema.SchemaVersion.from_version(document["specVersion"]))
    assert validator.validate_str(json.dumps({**document, "components": ours, "dependencies": []})) is None
