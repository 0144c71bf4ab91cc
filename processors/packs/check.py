"""`modstream pack check`: everything that loading verifies, and that the graphs do what the manifest says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processors.asr.pack_check import check_hearing
from processors.encode import TextExpertModel, check_signature
from processors.engines import BucketedRunner, EngineError, IsolatedRunner, OnnxEngine, Runner
from processors.fuse.fusion import check_fusion
from processors.ocr.pack_check import check_reading
from processors.pack.layout import UNKNOWN_LANGUAGE
from processors.pack.tokens import FieldTokenizer
from processors.pack.windows import cut_windows
from processors.packs.calibration import Calibration
from processors.packs.engine_check import check_engines, engines_of
from processors.packs.manifest import MANIFEST_FILE
from processors.packs.pack import Pack, PackError, listed_files, load_pack
from processors.packs.parts import LabelCard
from processors.packs.picture_check import check_image

MAX_MOVE = 1e-6
"""How far a probability may move with its neighbours. fp32 and weight-only graphs move by up to 4e-7; what moves more
has rows that influence each other."""

CHECK_THREADS = 2
"""Two rows side by side are enough to find a graph that cannot be run so."""

FOR_PEOPLE = ("*.md", "LICENSE*", "NOTICE*", ".gitattributes")
"""Files that the manifest need not name: nothing reads them."""

SENTENCES = (
    "ok",
    "What a lovely morning!",
    "I will find you and hurt you, you worthless piece of trash.",
    "@user see https://example.org/a?b=c #news 😀😀",
    "Das Wetter wird morgen wieder besser, sagt der Bericht.",
    "なんて素敵な一日でしょう。",
    "Все люди рождаются свободными и равными.",
    "يولد جميع الناس أحرارا",
    "s c u m  and  v3rm1n",
    "The committee met on Tuesday to discuss the budget for the coming year, and decided, after a long debate about the"
    " library's opening hours, to meet again on Thursday. " * 3,
)
"""Short and long, several scripts, marks, emoji, spaced letters: lengths and contents that a batch mixes."""


class Level(StrEnum):
    ERROR = "error"
    """The pack must not be used."""
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    level: Level
    file: str
    field: str | None
    message: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.field}" if self.field else self.file
        return f"{place}: {self.level}: {self.message}"


def check_pack(folder: Path) -> list[Problem]:
    """Every problem of the pack in `folder`; never raises for what is in it.

    A pack that does not load gives the first reason only. The graphs are run on the CPU.
    """
    manifest = str(folder / MANIFEST_FILE)
    try:
        pack = load_pack(folder)
        tokenizer = pack.load_tokenizer()
    except PackError as error:
        return [Problem(Level.ERROR, str(error.file), error.field, error.reason)]
    problems = [*_unlisted(pack), *_engines(pack), *_cards(pack, manifest), *_media(pack, manifest)]
    try:
        engine = OnnxEngine(pack.graph)
    except EngineError as error:
        return [*problems, Problem(Level.ERROR, str(pack.graph), None, str(error))]
    signature = [Problem(Level.ERROR, manifest, *found) for found in check_signature(engine, pack.manifest.text)]
    if signature:
        return [*problems, *signature]
    model = TextExpertModel(engine, pack.manifest.text)
    runner: Runner = IsolatedRunner(model, CHECK_THREADS)
    if pack.manifest.text.isolation == "batch":
        runner = BucketedRunner(model, pad=pack.layout.pad, max_tokens=pack.layout.window_tokens)
    return problems + list(_determinism(pack, tokenizer, runner))


def _unlisted(pack: Pack) -> Iterator[Problem]:
    """A file that no hash covers may be external weights, which the graph would load unseen."""
    listed = {(pack.folder / file.path).resolve() for _, file in listed_files(pack.manifest)}
    for path in sorted(pack.folder.rglob("*")):
        known = path.resolve() in listed or path.name == MANIFEST_FILE or any(map(path.match, FOR_PEOPLE))
        if path.is_file() and not known and not path.is_relative_to(engines_of(pack)):
            message = (
                f"the manifest does not name this file; expected it in its files, or one of {', '.join(FOR_PEOPLE)}"
            )
            yield Problem(Level.ERROR, str(path), None, message)


def _engines(pack: Pack) -> Iterator[Problem]:
    """Files that no hash of the manifest covers, but each its own card's: they are one machine's."""
    for file, message, broken in check_engines(pack):
        yield Problem(Level.ERROR if broken else Level.WARNING, file, None, message)


def _cards(pack: Pack, manifest: str) -> Iterator[Problem]:
    cards: list[tuple[str, LabelCard]] = []
    for label in pack.manifest.measured_heads:
        card = pack.manifest.labels[label]
        cards.append((f"labels.{label}", card))
        if card.training_rows is None:
            message = "measured, but without training_rows; expected positives and negatives"
            yield Problem(Level.WARNING, manifest, f"labels.{label}", message)
    if pack.manifest.image is not None:
        cards += [(f"image.labels.{label}", pack.manifest.image.labels[label]) for label in pack.labels_of("image")]
    for field, card in cards:
        if not card.dev:
            yield Problem(Level.WARNING, manifest, field, "measured, but without figures on dev")
    for lang, card in pack.manifest.languages.items():
        if card.status == "measured" and not card.dev:
            yield Problem(Level.WARNING, manifest, f"languages.{lang}", "measured, but without figures on dev")


def _media(pack: Pack, manifest: str) -> Iterator[Problem]:
    for field, message in check_reading(pack):
        yield Problem(Level.ERROR, manifest if field else str(pack.folder), field, message)
    for field, message in check_hearing(pack):
        yield Problem(Level.ERROR, manifest if field else str(pack.folder), field, message)
    for field, message in check_fusion(pack):
        yield Problem(Level.ERROR, manifest if field else str(pack.folder), field, message)
    expert = pack.manifest.image
    if expert is not None:
        graph = str(pack.folder / expert.graph.path)
        for field, message in check_image(pack, expert):
            yield Problem(Level.ERROR, manifest if field else graph, field, message)


def _determinism(pack: Pack, tokenizer: FieldTokenizer, runner: Runner) -> Iterator[Problem]:
    rows = _rows(pack, tokenizer)
    graph = str(pack.graph)
    try:
        together = _probabilities(pack, runner, rows)
        reverse = _probabilities(pack, runner, rows[::-1])[::-1]
        alone = np.concatenate([_probabilities(pack, runner, [row]) for row in rows])
    except (EngineError, ValueError) as error:
        yield Problem(Level.ERROR, graph, None, f"a run failed: {error}")
        return
    if not np.isfinite(together).all():
        yield Problem(Level.ERROR, graph, None, "gives logits that are not finite; expected numbers")
        return
    move = max(float(np.abs(together - alone).max()), float(np.abs(reverse - alone).max()))
    if move > MAX_MOVE:
        message = f"a window's probability moves by {move:.2g} with its neighbours; expected at most {MAX_MOVE:g}"
        yield Problem(
            Level.ERROR, graph, "text.isolation", f"{message}: row isolation, or a graph without shared scales"
        )


def _rows(pack: Pack, tokenizer: FieldTokenizer) -> list[NDArray[np.int32]]:
    # In whichever scored field the pack has last: packs for other tasks need not know `text`.
    field = pack.layout.order[-1]
    rows: list[NDArray[np.int32]] = []
    for sentence in SENTENCES:
        windows, _ = cut_windows(pack.layout, UNKNOWN_LANGUAGE, tokenizer({field: sentence}))
        rows += [np.array(window.ids, np.int32) for window in windows]
    # Every language and marker: their embeddings were added to the backbone's, and may be missing at the table's end.
    layout = pack.manifest.text.layout
    added = [*layout.languages.values(), *layout.markers.values()]
    size = layout.window_tokens
    return rows + [np.array(added[start : start + size], np.int32) for start in range(0, len(added), size)]


def _probabilities(pack: Pack, runner: Runner, rows: list[NDArray[np.int32]]) -> NDArray[np.float64]:
    """[rows, heads], not rounded: rounding would hide what is looked for here."""
    (logits, embeddings), _ = runner.run(rows)
    expected = (len(rows), pack.manifest.text.embedding_size)
    if embeddings.shape != expected:
        raise ValueError(f"the embedding has shape {list(embeddings.shape)}; expected {list(expected)}")
    return Calibration(pack, heads=pack.manifest.measured_heads).exact(logits)
