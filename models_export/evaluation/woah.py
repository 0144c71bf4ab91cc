"""The WOAH 5 shared task on fine-grained hateful memes: its annotations, its submissions, and its scorer's figures.

Mathias et al. 2021, Findings of the WOAH 5 Shared Task on Fine Grained Hateful Memes Detection. The figures are those
of the organisers' `scripts/scorer.py` (facebookresearch/fine_grained_hateful_memes): F1 and ROC-AUC, both
micro-averaged over the cells of a matrix of memes and classes.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Annotated, Literal, get_args

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from models_export.evaluation.labelled_media import SuiteError
from models_export.measures import confusion, levels
from models_export.measures.bootstrap import RESAMPLES, SEED, Estimate, interval
from models_export.measures.metrics import ranking_quality

ANNOTATIONS = (
    Path("named/fine_grained_hateful_memes/annotations_train.json.xz"),
    Path("named/fine_grained_hateful_memes/annotations_train.json"),
)

HATEFUL, NOT_HATEFUL = "hateful", "not_hateful"
PC_EMPTY, ATTACK_EMPTY = "pc_empty", "attack_empty"
ProtectedCategory = Literal["pc_empty", "race", "disability", "religion", "nationality", "sex"]
AttackType = Literal[
    "attack_empty",
    "contempt",
    "mocking",
    "inferiority",
    "slurs",
    "exclusion",
    "dehumanizing",
    "inciting_violence",
]
PROTECTED: tuple[str, ...] = tuple(name for name in get_args(ProtectedCategory) if name != PC_EMPTY)
"""Task A: who is attacked."""
ATTACK_TYPES: tuple[str, ...] = tuple(name for name in get_args(AttackType) if name != ATTACK_EMPTY)
"""Task B: how."""
TASKS = ("hate", "pc", "attack")

CUT = 0.5
"""The scorer's: a class is predicted where its score is over it."""


class AnnotatedMeme(msgspec.Struct, frozen=True):
    """A line of the annotations: JSON lines, whatever the file's name says."""

    id: int
    set_name: str
    text: str
    gold_hate: Annotated[list[Literal["hateful", "not_hateful"]], Meta(min_length=1)]
    gold_pc: Annotated[list[ProtectedCategory], Meta(min_length=1)]
    gold_attack: Annotated[list[AttackType], Meta(min_length=1)]


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a submission: class -> score, of every task."""

    id: int
    set_name: str
    pred_hate: Mapping[str, float]
    pred_pc: Mapping[str, float]
    pred_attack: Mapping[str, float]


class TaskFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the scorer prints of a task, and 95% intervals by resampling memes."""

    memes: int
    classes: int
    f1: Estimate
    roc_auc: Estimate


def read_annotations(data: Path) -> list[AnnotatedMeme]:
    """Raises SuiteError where there are none, and for lines that cannot be understood."""
    path = next((data / name for name in ANNOTATIONS if (data / name).is_file()), None)
    if path is None:
        raise SuiteError(f"{data}: no {ANNOTATIONS[0]}; expected the annotations of the shared task")
    with _opened(path) as file:
        try:
            return list(_rows(path, file))
        except (lzma.LZMAError, EOFError) as error:
            raise SuiteError(f"{path}: {error}; expected an xz file") from None


def _opened(path: Path) -> IO[bytes]:
    return lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb")


def _rows(path: Path, file: Iterable[bytes]) -> Iterator[AnnotatedMeme]:
    decoder = msgspec.json.Decoder(AnnotatedMeme)
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise SuiteError(f"{path}, line {number}: {error}") from None


def classes_of(gold: Sequence[Sequence[str]]) -> list[str]:
    """The classes that the scorer knows: those that come first in some meme's labels, in the order of their first."""
    return list(dict.fromkeys(labels[0] for labels in gold))


def task_figures(gold: Sequence[Sequence[str]], scores: Sequence[Mapping[str, float]]) -> TaskFigures:
    """The scorer's figures of one task. `gold`: labels of each meme, at least one; `scores`: class -> score.

    A label that never comes first is no class to the scorer, and is left out of its matrices. Raises KeyError for a
    meme without a score of one of the classes, as the scorer does. With one class there is nothing to tell apart.
    """
    classes = classes_of(gold)
    if len(classes) < 2:
        return TaskFigures(memes=len(gold), classes=len(classes), f1=Estimate(), roc_auc=Estimate())
    truth = np.array([[name in labels for name in classes] for labels in gold])
    said = np.array([[of[name] for name in classes] for of in scores], float)
    f1, roc_auc = float(confusion.f1(_cells(said, truth))), ranking_quality(said.ravel(), truth.ravel())
    drawn = list(_resampled(said, truth))
    return TaskFigures(
        memes=len(gold),
        classes=len(classes),
        f1=Estimate(f1, *interval(np.array([confusion.f1(cells) for cells, _ in drawn]))),
        roc_auc=Estimate(roc_auc, *interval(np.array([area for _, area in drawn]))),
    )


def _cells(said: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.int64]:
    return confusion.cells((said > CUT).ravel(), truth.ravel())


def _resampled(
    said: NDArray[np.float64], truth: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Counts and areas of memes drawn with all their cells; areas of scores with three decimals, as packs give them."""
    places = np.rint(np.clip(said, 0, 1) * (levels.LEVELS - 1)).astype(np.int64) + levels.LEVELS * truth
    answers = 2 * truth.astype(np.int64) + (said > CUT)
    random = np.random.default_rng(SEED)
    for _ in range(RESAMPLES):
        memes = random.integers(len(said), size=len(said))
        counts = np.bincount(places[memes].ravel(), minlength=2 * levels.LEVELS).reshape(2, levels.LEVELS)
        yield np.bincount(answers[memes].ravel(), minlength=4), levels.roc_auc(counts)


_encoder = msgspec.json.Encoder()


def submission_of(lines: Iterable[Submitted]) -> bytes:
    """The file as it is handed in: one meme a line."""
    return b"".join(_encoder.encode(line) + b"\n" for line in lines)
