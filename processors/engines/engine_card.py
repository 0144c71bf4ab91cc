"""The card beside an engine file: what it was built from, for and with. It is read, and must fit, before the file is.

An engine file holds a GPU's machine code: of another TensorRT, another GPU or another graph it is useless at best. So
nothing of it is handed to TensorRT before its card says that it belongs here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from processors.engines.engine import EngineError
from processors.engines.profiles import ShapeRange
from schemas.sections import Sha256

ENGINE_SUFFIX = ".plan"
CARD_SUFFIX = ".plan.json"
ENGINE_SCHEMA = "engine/1"
REBUILD = "build it anew with `modstream pack build DIR --engines` on a machine like this one"

MAX_CARD_BYTES = 256 * 1024
"""A card is some two kilobytes; anything of this size is another file."""


class EngineTensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    dtype: str
    """As numpy names it."""
    shape: tuple[int | None, ...]
    """None where it varies."""


class EngineCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`<engine>.plan.json`."""

    schema: Literal["engine/1"]
    graph: str
    """What it was built from, for people: `text`, `ocr.detection`, …"""
    graph_sha256: Sha256
    """Of the pack's ONNX file."""
    engine_sha256: Sha256
    tensorrt: str
    """Version, as `11.2.1.2`."""
    compute_capability: str
    """Of the GPU, as `9.0`."""
    gpu: str
    """Its name, for people."""
    precision: Literal["fp32", "fp16"]
    """What is computed in; inputs and outputs keep the graph's own."""
    moved: float
    """Largest difference of any output between the pack's graph and the one that was built, both on the CPU."""
    profiles: tuple[dict[str, ShapeRange], ...]
    inputs: tuple[EngineTensor, ...]
    outputs: tuple[EngineTensor, ...]


class Machine(Protocol):
    """What an engine must fit."""

    @property
    def tensorrt(self) -> str: ...

    @property
    def compute_capability(self) -> str: ...


_decoder = msgspec.json.Decoder(EngineCard)


def card_of(engine: Path) -> Path:
    """Where an engine file's card lies: beside it."""
    return engine.with_name(engine.name.removesuffix(ENGINE_SUFFIX) + CARD_SUFFIX)


def read_card(engine: Path) -> EngineCard:
    """The card of an engine file. Raises `EngineError`."""
    path = card_of(engine)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}; expected a card beside {engine.name}: {REBUILD}") from None
    if len(raw) > MAX_CARD_BYTES:
        raise EngineError(f"{path}: over {MAX_CARD_BYTES:,} bytes; expected the card of an engine ({ENGINE_SCHEMA})")
    try:
        card = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EngineError(f"{path}: {error}; expected the card of an engine ({ENGINE_SCHEMA})") from None
    if not card.profiles:
        raise EngineError(f"{path}: profiles: none; expected at least one bucket")
    return card


def write_card(engine: Path, card: EngineCard) -> None:
    content = msgspec.json.format(msgspec.json.encode(card), indent=1)
    card_of(engine).write_bytes(content + b"\n")


def misfits(card: EngineCard, *, graph_sha256: str, machine: Machine | None) -> Iterator[str]:
    """Why an engine must not be used; nothing where it may. Without a `machine`, only what can be told anywhere."""
    if card.graph_sha256 != graph_sha256:
        yield f"built from a graph with SHA-256 {card.graph_sha256}; the pack's has {graph_sha256}"
    if machine is None:
        return
    if card.tensorrt != machine.tensorrt:
        yield f"built with TensorRT {card.tensorrt}; here is {machine.tensorrt}"
    if card.compute_capability != machine.compute_capability:
        here = machine.compute_capability
        yield f"built for compute capability {card.compute_capability} ({card.gpu}); the GPU here has {here}"


def read_engine(engine: Path, graph: Path, machine: Machine) -> tuple[bytes, EngineCard]:
    """The verified content of an engine file, and its card. Raises `EngineError`."""
    card = read_card(engine)
    for reason in misfits(card, graph_sha256=sha256_of(graph), machine=machine):
        raise EngineError(f"{engine}: {reason}: {REBUILD}")
    try:
        content = engine.read_bytes()
    except OSError as error:
        raise EngineError(f"{engine}: {error.strerror}; expected an engine beside its card: {REBUILD}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != card.engine_sha256:
        raise EngineError(f"{engine}: SHA-256 {found}; expected {card.engine_sha256}, as its card says: {REBUILD}")
    return content, card


def sha256_of(file: Path) -> str:
    """Raises `EngineError` where the file cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise EngineError(f"{file}: {error.strerror}; expected a graph") from None
