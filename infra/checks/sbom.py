"""The bill of materials of the images: the packages of their locks, and the weights of the pack that ships.

CycloneDX JSON. What the base images bring (Debian's or Ubuntu's packages, Python, CUDA) is in theirs.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from infra.checks.outcome import ROOT, Outcome
from infra.checks.tools import run

OUT = ROOT / "build" / "sbom"
PACK = ROOT / "models" / "embedded"
IMAGES = {"cpu": "runtime", "gpu": "gpu"}
"""Image -> its lock."""

WEIGHTS = (".onnx", ".bin")
"""What of a pack is a model; the rest are files that it is used with."""


def model_components(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A component for each file of a pack, with its SHA-256 and licence, by name."""
    pack, licence = f"{manifest['name']}@{manifest['version']}", cast("str", manifest["licence"])
    found: dict[str, dict[str, Any]] = {}
    for file, origin in _files(manifest, {"licence": licence}):
        name = file.get("path") or f"asr/{file['name']}"
        found[name] = {
            "type": "machine-learning-model" if name.endswith(WEIGHTS) else "file",
            "bom-ref": f"pack:{pack}/{name}",
            "group": f"pack:{pack}",
            "name": name,
            "hashes": [{"alg": "SHA-256", "content": file["sha256"]}],
            "licenses": [{"license": {"id": origin["licence"]}}],
            **({"description": origin["name"]} if "name" in origin else {}),
            **({"externalReferences": [{"type": "website", "url": origin["url"]}]} if "url" in origin else {}),
        }
    return [found[name] for name in sorted(found)]


def _files(part: Any, origin: Mapping[str, str]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str]]]:
    """Each file below `part`, and the nearest statement of where it comes from."""
    if isinstance(part, Mapping):
        entries = cast("Mapping[str, Any]", part)
        own = entries.get("origin", origin)
        if "sha256" in entries:
            yield entries, own
        for entry in entries.values():
            yield from _files(entry, own)
    elif isinstance(part, list):
        for entry in cast("list[Any]", part):
            yield from _files(entry, origin)


def bill(image: str) -> dict[str, Any]:
    """The bill of one image. Raises RuntimeError with what cyclonedx-py said."""
    with tempfile.TemporaryDirectory(prefix="modstream-sbom-") as folder:
        out = Path(folder) / "bom.json"
        lock = f"requirements/{IMAGES[image]}.lock"
        arguments = (
            "requirements",
            lock,
            "--pyproject",
            "pyproject.toml",
            "--output-reproducible",
            "--no-validate",
            "-o",
            str(out),
        )
        code, said = run(sys.executable, "-m", "cyclonedx_py", *arguments)
        if code != 0:
            raise RuntimeError(said)
        document: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    for component in document["components"]:
        component.pop("description", None)  # the lock's line, with every hash in it again
    manifest = json.loads((PACK / "manifest.json").read_text(encoding="utf-8"))
    document["components"] += model_components(manifest)
    return document


def build() -> Outcome:
    """Write the bills to build/sbom, and check that each pinned package is in its bill."""
    OUT.mkdir(parents=True, exist_ok=True)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    notes: list[str] = []
    for image in IMAGES:
        try:
            document = bill(image)
        except RuntimeError as error:
            return Outcome("bill of materials", tuple(str(error).splitlines()[-3:]))
        path = OUT / f"modstream-{version}-{image}.cdx.json"
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        models = sum(component["type"] == "machine-learning-model" for component in document["components"])
        notes.append(f"{path.relative_to(ROOT)}: {len(document['components'])} components, {models} of them models")
    return Outcome("bill of materials", notes=tuple(notes))


if __name__ == "__main__":
    outcome = build()
    print("\n".join(outcome.lines()))
    sys.exit(outcome.failed)
