"""The parts of a pack that are about pictures and sounds: they stay as they are when its text expert is made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_export.packing.card import CARD_FILE, render_card
from processors.packs import MANIFEST_FILE, Pack, load_pack

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "embedded"
"""The pack that comes with the code, in a clone and in an installed wheel."""

FUSION = "fusion"
PARTS = ("ocr", "asr", "image", FUSION)
"""Names of the manifest's parts; they stand behind `text`, in this order."""

LEGAL = ("LICENSE", "NOTICE")


@dataclass(frozen=True, slots=True)
class Pictures:
    """The parts of a verified pack that are about pictures and sounds."""

    pack: Pack
    manifest: Mapping[str, Any]
    """As it was read: its figures are taken over to the digit."""

    def files(self, names: Collection[str] = PARTS) -> tuple[Path, ...]:
        """What the parts of these names list, and their licences and notices; below the pack's folder."""
        manifest = self.pack.manifest
        every = {"ocr": manifest.ocr, "asr": manifest.asr, "image": manifest.image, FUSION: manifest.fusion}
        parts = {name: part for name, part in every.items() if part is not None and name in names}
        named = {Path(file.path) for part in parts.values() for _, file in part.files()}
        legal = {path for name in parts for path in legal_files(self.pack.folder, name)}
        return tuple(sorted(named | legal))

    def copy(self, folder: Path, names: Collection[str] = PARTS) -> None:
        """Copy the files of these parts into the pack in `folder`. Raises FileExistsError rather than to replace one of
        its own."""
        for path in self.files(names):
            target = folder / path
            if target.exists():
                raise FileExistsError(f"{self.pack.folder / path}: the text expert has a file of this name; rename one")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.pack.folder / path, target)

    def parts(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The parts that hold beside the text expert of `manifest`.

        The fusion was trained on the text expert's embeddings. It is among the parts only where the text expert is the
        same to the byte; without it, a label is the highest of its experts' scores.
        """
        held = {name: self.manifest[name] for name in PARTS if self.manifest.get(name) is not None}
        if any(self.manifest[name] != manifest[name] for name in ("text", "calibration")):
            held.pop(FUSION, None)
        return held


def read_pictures(folder: Path) -> Pictures:
    """The picture parts of the pack in `folder`. Raises `PackError`, or ValueError for a pack that cannot be split."""
    pack = load_pack(folder)
    if pack.manifest.files:
        raise ValueError(
            f"{folder / MANIFEST_FILE}: files: nothing says whether they are the text expert's; expected none in a pack"
            " whose picture parts are taken over"
        )
    return Pictures(pack, json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8")))


def legal_files(folder: Path, part: str) -> Iterator[Path]:
    """A part's licences and notices, below the pack's folder: those in the folder of its name, and `NOTICE-<part>`."""
    for kind in LEGAL:
        for path in (*folder.glob(f"{kind}-{part}*"), *(folder / part).rglob(f"{kind}*")):
            if path.is_file():
                yield path.relative_to(folder)


def with_parts(manifest: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with these parts for its own of the same names, and all such parts behind `text`."""
    merged = {**manifest, **parts}
    behind = {name: merged.pop(name) for name in PARTS if name in merged}
    ordered: dict[str, Any] = {}
    for name, value in merged.items():
        ordered[name] = value
        if name == "text":
            ordered |= behind
    return ordered


def write_with_parts(folder: Path, parts: Mapping[str, Any]) -> None:
    """The pack in `folder` with these parts, and its card, if it has one."""
    path = folder / MANIFEST_FILE
    composed = with_parts(json.loads(path.read_text(encoding="utf-8")), parts)
    path.write_text(json.dumps(composed, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if (folder / CARD_FILE).is_file():
        (folder / CARD_FILE).write_text(render_card(composed), encoding="utf-8")
