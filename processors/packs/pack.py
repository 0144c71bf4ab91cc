"""Loading a model pack: nothing of it is used before its manifest makes sense and every file is what it should be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec
from tokenizers import Tokenizer

from processors.pack.layout import FIELD_MARKERS, UNKNOWN_LANGUAGE, TextLayout
from processors.pack.tokens import FieldTokenizer
from processors.packs.heads import DETAIL_HEADS, EXPECTED_HEAD, POLICY_NAMES, TEXT_HEADS
from processors.packs.manifest import MANIFEST_FILE, PACK_SCHEMA, Layout, Manifest
from processors.packs.parts import PackFile
from schemas import LABELS, InvalidMessage
from schemas.wire import decode_json

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""A manifest is some ten kilobytes; anything of this size is another file."""

HASH_DIGITS = 12
"""Of the pack's hash in decisions: enough to tell all packs ever made apart, short enough to read aloud."""

LanguageStatus = Literal["measured", "zero_shot", "unsupported"]
Expert = Literal["text", "image"]

_decoder = msgspec.json.Decoder(Manifest)


class PackError(Exception):
    """A pack that cannot be used: which file, which field of the manifest (where there is one), what is expected."""

    def __init__(self, file: Path, field: str | None, reason: str) -> None:
        self.file = file
        self.field = field
        self.reason = reason
        super().__init__(f"{file}: {field}: {reason}" if field else f"{file}: {reason}")


@dataclass(frozen=True, slots=True)
class Pack:
    """A verified pack."""

    folder: Path
    manifest: Manifest
    hash: str
    """SHA-256 of the canonical manifest, in hex; as the manifest holds every file's hash, it stands for all of them."""
    layout: TextLayout

    @property
    def version(self) -> str:
        """What decisions show: `embedded@3f9c0a1b2c3d`."""
        return f"{self.manifest.name}@{self.hash[:HASH_DIGITS]}"

    @property
    def graph(self) -> Path:
        return self.folder / self.manifest.text.graph.path

    @property
    def not_assessed(self) -> tuple[str, ...]:
        """Labels that no text shows to this pack, in the taxonomy's order; pictures may show more (`labels_of`)."""
        measured = set(self.manifest.measured)
        return tuple(label for label in LABELS if label not in measured)

    def labels_of(self, expert: Expert) -> tuple[str, ...]:
        """The labels that an expert was measured on, in the order of its heads; none where there is no such expert."""
        if expert == "text":
            return self.manifest.measured
        return self.manifest.image.measured if self.manifest.image is not None else ()

    @property
    def details(self) -> tuple[str, ...]:
        """The text expert's measured heads that are no labels, in their order."""
        return tuple(head for head in self.manifest.measured_heads if head in DETAIL_HEADS)

    @property
    def thresholds(self) -> dict[str, float]:
        """What a policy starts from: of every label that an expert was measured on (the text expert's, where both know
        it), and of the text expert's targets, as `hate.<target>`, and severities."""
        image = self.manifest.image
        text = {POLICY_NAMES[head]: at for head, at in self.manifest.thresholds.items() if head in POLICY_NAMES}
        return {**(image.thresholds if image is not None else {}), **text}

    def language_status(self, lang: str) -> LanguageStatus:
        """How well the pack reads a language; one that the manifest does not name is unsupported."""
        card = self.manifest.languages.get(lang)
        return card.status if card else "unsupported"

    def load_tokenizer(self) -> FieldTokenizer:
        """Raises `PackError` for a file that is no tokenizer, or one whose vocabulary lacks the layout's token ids."""
        path = self.folder / self.manifest.text.tokenizer.path
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exceptions
            raise PackError(path, None, f"not a tokenizer: {error}; expected a tokenizer.json") from error
        size = tokenizer.get_vocab_size()
        for field, token in _token_ids(self.manifest.text.layout):
            if token >= size:
                reason = f"token id {token}, but {path.name} has {size:,} tokens; expected a smaller id"
                raise PackError(self.folder / MANIFEST_FILE, f"text.layout.{field}", reason)
        return FieldTokenizer(tokenizer)


def load_pack(folder: Path) -> Pack:
    """The pack in `folder`, verified: schema, consistency, and size and SHA-256 of every file. Raises `PackError`."""
    path = folder / MANIFEST_FILE
    raw = _read_manifest(path)
    try:
        manifest = decode_json(raw, _decoder, schema=PACK_SCHEMA, max_bytes=MAX_MANIFEST_BYTES)
    except InvalidMessage as error:
        raise PackError(path, None if error.field == "$" else error.field, error.reason) from None
    for field, reason in _inconsistencies(manifest):
        raise PackError(path, field, reason)
    try:
        layout = manifest.text.layout.to_text_layout()
    except ValueError as error:
        raise PackError(path, "text.layout", str(error)) from None
    for field, file in listed_files(manifest):
        _verify(folder, field, file)
    return Pack(folder, manifest, _canonical_hash(raw), layout)


def listed_files(manifest: Manifest) -> Iterator[tuple[str, PackFile]]:
    """(field, file) of every file that the manifest names."""
    yield "text.graph", manifest.text.graph
    yield "text.tokenizer", manifest.text.tokenizer
    parts = {"ocr": manifest.ocr, "asr": manifest.asr, "image": manifest.image, "fusion": manifest.fusion}
    for name, part in parts.items():
        for field, file in part.files() if part is not None else ():
            yield f"{name}.{field}", file
    for index, file in enumerate(manifest.files):
        yield f"files[{index}]", file


def _read_manifest(path: Path) -> bytes:
    if not path.parent.is_dir():
        raise PackError(path.parent, None, f"no such folder; expected a model pack, a folder with {MANIFEST_FILE}")
    try:
        with path.open("rb") as file:
            return file.read(MAX_MANIFEST_BYTES + 1)
    except FileNotFoundError:
        raise PackError(path, None, f"no such file; expected a manifest ({PACK_SCHEMA}) in every model pack") from None
    except OSError as error:
        raise PackError(path, None, f"cannot be read: {error.strerror}") from None


def _canonical_hash(raw: bytes) -> str:
    canonical = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _token_ids(layout: Layout) -> Iterator[tuple[str, int]]:
    for name in ("bos", "pad", "eos", "unk"):
        yield name, getattr(layout, name)
    for group in ("languages", "markers"):
        for name, token in getattr(layout, group).items():
            yield f"{group}.{name}", token


def _inconsistencies(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """(field, what is wrong and expected) of everything that the types alone do not catch."""
    heads = manifest.text.heads
    yield from _unknown_heads(manifest)
    if not heads or len(set(heads)) != len(heads):
        yield "text.heads", "empty, or a head stands twice; expected each once"
    elif heads[0] not in LABELS:
        yield "text.heads[0]", f"{heads[0]!r} is no label; expected the pack's main label as the first head"
    for label in heads:
        if label not in manifest.labels:
            yield "labels", f"no card for {label!r}; expected one for every head"
    for label, card in manifest.labels.items():
        if card.status == "measured" and label not in heads:
            yield f"labels.{label}.status", "measured, but there is no such head; expected not_assessed"
    if not manifest.measured:
        yield "labels", "no label is measured; expected at least one"
    measured = set(manifest.measured_heads)
    for group in ("calibration", "thresholds"):
        found = set(getattr(manifest, group))
        if found != measured:
            odd = ", ".join(sorted(found ^ measured))
            yield group, f"expected exactly the measured heads as keys; missing or too many: {odd}"
    yield from _layout_problems(manifest.text.layout)
    if manifest.asr is not None:
        yield from ((f"asr.{field}", reason) for field, reason in manifest.asr.problems())
    if manifest.image is not None:
        yield from ((f"image.{field}", reason) for field, reason in manifest.image.problems())
    if manifest.fusion is not None:
        size = manifest.image.features_size if manifest.image is not None else None
        found = manifest.fusion.problems(manifest.measured, manifest.text.embedding_size, size)
        yield from ((f"fusion.{field}", reason) for field, reason in found)
    yield from ((f"gating.{field}", reason) for field, reason in manifest.gating.problems())


def _unknown_heads(manifest: Manifest) -> Iterator[tuple[str, str]]:
    places = [(f"text.heads[{index}]", head) for index, head in enumerate(manifest.text.heads)]
    for group in ("labels", "calibration", "thresholds"):
        places += [(f"{group}.{head}", head) for head in getattr(manifest, group)]
    for field, head in places:
        if head not in TEXT_HEADS:
            yield field, f"{head!r} is no head; expected {EXPECTED_HEAD}"


def _layout_problems(layout: Layout) -> Iterator[tuple[str, str]]:
    fields = (*layout.order, layout.context)
    for name in fields:
        if name not in FIELD_MARKERS:
            yield "text.layout.order", f"{name!r} is no text field; expected some of {', '.join(FIELD_MARKERS)}"
        if name not in layout.markers:
            yield (
                "text.layout.markers",
                f"no marker for {name!r}; expected one for every field of order and the context",
            )
    if not layout.order or len(set(fields)) != len(fields):
        yield "text.layout.order", "empty, or a field stands twice (the context is none of them); expected each once"
    if UNKNOWN_LANGUAGE not in layout.languages:
        yield "text.layout.languages", f"expected a token for {UNKNOWN_LANGUAGE!r}, used where no other fits"


def _verify(folder: Path, field: str, file: PackFile) -> None:
    manifest = folder / MANIFEST_FILE
    parts = PurePosixPath(file.path).parts
    if PurePosixPath(file.path).is_absolute() or ".." in parts or "\\" in file.path or "\0" in file.path:
        raise PackError(manifest, f"{field}.path", f"{file.path!r} leads out of the pack; expected a path below it")
    path = folder.joinpath(*parts)
    if not path.is_file():
        raise PackError(path, None, f"no such file, but {MANIFEST_FILE} names it in {field}")
    size = path.stat().st_size
    if size != file.bytes:
        raise PackError(path, None, f"{size:,} bytes; expected {file.bytes:,} ({field}.bytes in {MANIFEST_FILE})")
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != file.sha256:
        raise PackError(path, None, f"SHA-256 {found}; expected {file.sha256} ({field}.sha256 in {MANIFEST_FILE})")
