"""The files of a Whisper model: from installed packages as the pack's manifest names them, a folder, or a model hub."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import faster_whisper

from processors.packs import MANIFEST_FILE, Pack, PackError
from processors.packs.asr_part import REQUIRED_FILES, AsrModel, WeightsFile, WeightsPiece

# The library has no types.
_faster_whisper = cast(Any, faster_whisper)

OPTIONAL_FILES = ("preprocessor_config.json", "vocabulary.json", "vocabulary.txt")

Files = dict[str, bytes]
"""Name, as CTranslate2 knows it, and content."""


def read_weights(pack: Pack, model: str | None) -> Files:
    """The files of `model`, a folder or the name of one on a hub; without it, of the pack.

    Raises `PackError` where there are none, a package is not installed or what it holds is not what was named.
    """
    if model is not None:
        return _of_folder(_folder(pack, model))
    part = pack.manifest.asr
    if part is None:
        reason = "no such part; expected a model that hears speech, or the name of one in the setting asr.model"
        raise PackError(pack.folder / MANIFEST_FILE, "asr", reason)
    return _of_packages(pack.folder / MANIFEST_FILE, part)


def _of_packages(manifest: Path, part: AsrModel) -> Files:
    """Joined in memory: installed packages may not be written to."""
    return {file.name: _joined(manifest, f"asr.weights[{index}]", file) for index, file in enumerate(part.weights)}


def _joined(manifest: Path, field: str, file: WeightsFile) -> bytes:
    content = bytearray()
    for number, piece in enumerate(file.pieces):
        place = f"{field}.pieces[{number}]"
        path = _path(manifest, place, piece)
        if len(content) + path.stat().st_size > file.bytes:
            reason = f"too large for {file.name} of {file.bytes:,} bytes; expected it as of {piece.requirement}"
            raise PackError(path, None, reason)
        content += path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if len(content) != file.bytes or found != file.sha256:
        requirements = ", ".join(dict.fromkeys(piece.requirement for piece in file.pieces))
        reason = f"{file.name} has SHA-256 {found}; expected {file.sha256}: install {requirements} again"
        raise PackError(manifest, field, reason)
    return bytes(content)


def _path(manifest: Path, field: str, piece: WeightsPiece) -> Path:
    """Where a piece lies. The package is found, not imported: nothing of it runs."""
    try:
        spec = find_spec(piece.package)
    except ValueError:  # a module of this name that says nothing of where it came from
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder).joinpath(*piece.path.split("/"))
        if path.is_file():
            return path
    reason = (
        f"no {piece.path} in the Python package {piece.package}; expected it installed: pip install {piece.requirement}"
    )
    raise PackError(manifest, field, reason)


def _folder(pack: Pack, model: str) -> Path:
    if Path(model).is_dir():
        return Path(model)
    try:
        return Path(_faster_whisper.download_model(model))
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"asr.model: {error}; expected a folder with {', '.join(REQUIRED_FILES)}, or a name on the model hub"
        raise PackError(Path(model), None, reason) from error


def _of_folder(folder: Path) -> Files:
    for name in REQUIRED_FILES:
        if not (folder / name).is_file():
            raise PackError(folder / name, None, "no such file; expected a Whisper model in CTranslate2's format")
    return {
        path.name: path.read_bytes() for name in (*REQUIRED_FILES, *OPTIONAL_FILES) if (path := folder / name).is_file()
    }
