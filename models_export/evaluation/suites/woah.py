"""`woah`: fine-grained hateful memes, by their text alone (the pictures are not published with the annotations).

Task A asks for the protected category, task B for the attack. The held-out slice of the training annotations is what
the text pool calls dev; without a pool it is a tenth by a hash of the ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Cell, Item, Source, Suite, Table
from models_export.evaluation.suites.held_out import held_out
from models_export.evaluation.woah import (
    ATTACK_EMPTY,
    ATTACK_TYPES,
    HATEFUL,
    NOT_HATEFUL,
    PC_EMPTY,
    PROTECTED,
    TASKS,
    AnnotatedMeme,
    Submitted,
    TaskFigures,
    read_annotations,
    submission_of,
    task_figures,
)
from models_export.measures.bootstrap import Estimate
from schemas import Post

SUBMISSION_FILE = "submission.json"

POOL_SET = "fine_grained_hateful_memes"
HATE = "hate"
TARGETS = {name: f"target.{name}" for name in PROTECTED}
ATTACKS = {name: f"attack.{name}" for name in ATTACK_TYPES}

DECIMALS = 3


def read(source: Source) -> list[Item]:
    annotated = read_annotations(source.data)
    kept, slice_ = held_out(source, POOL_SET, [str(row.id) for row in annotated])
    found = [_item(row, slice_) for row in annotated if str(row.id) in kept and row.text.strip()]
    return sorted(found, key=lambda item: (item.truth[HATE], item.post.post_id))


def _item(row: AnnotatedMeme, slice_: str) -> Item:
    truth = {HATE: int(HATEFUL in row.gold_hate)}
    truth |= {head: int(name in row.gold_pc) for name, head in TARGETS.items()}
    truth |= {head: int(name in row.gold_attack) for name, head in ATTACKS.items()}
    # The scorer knows a class by its coming first, so which label does is part of the truth.
    firsts = {"first_pc": row.gold_pc[0], "first_attack": row.gold_attack[0]}
    groups = {"lang": "en", "set_name": row.set_name, "slice": slice_, **firsts}
    return Item(Post(post_id=str(row.id), text=row.text), groups, truth)


def gold_of(prediction: Prediction, task: str) -> list[str]:
    """The labels of a task, as the annotations have them."""
    if task == HATE:
        return [HATEFUL if prediction.truth[HATE] else NOT_HATEFUL]
    heads = TARGETS if task == "pc" else ATTACKS
    first = prediction.groups[f"first_{task}"]
    return [first, *(name for name, head in heads.items() if prediction.truth[head] and name != first)]


def submitted(prediction: Prediction) -> Submitted:
    """A meme's scores. The empty class of either task is as likely as the meme is not hateful; a class that the pack
    has no head for scores 0, and so does hate where nothing could be read."""
    said = prediction.probabilities
    hate = said.get(HATE, 0.0)
    benign = round(1 - hate, DECIMALS)
    return Submitted(
        id=int(prediction.id),
        set_name=prediction.groups["set_name"],
        pred_hate={NOT_HATEFUL: benign, HATEFUL: hate},
        pred_pc={PC_EMPTY: benign, **{name: said.get(head, 0.0) for name, head in TARGETS.items()}},
        pred_attack={ATTACK_EMPTY: benign, **{name: said.get(head, 0.0) for name, head in ATTACKS.items()}},
    )


def missing_heads(predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    """Task -> the heads that no post has a probability of."""
    there = {name for of in predictions for name in of.probabilities}
    heads = {HATE: [HATE], "pc": list(TARGETS.values()), "attack": list(ATTACKS.values())}
    return {task: [head for head in of if head not in there] for task, of in heads.items()}


def scored(predictions: Sequence[Prediction]) -> dict[str, TaskFigures | None]:
    """Task -> the scorer's figures; None where the pack has no head for any of its classes."""
    lines = [submitted(of) for of in predictions]
    missing = missing_heads(predictions)
    whole = {HATE: 1, "pc": len(TARGETS), "attack": len(ATTACKS)}
    return {
        task: None
        if len(missing[task]) == whole[task]
        else task_figures([gold_of(of, task) for of in predictions], [getattr(line, f"pred_{task}") for line in lines])
        for task in TASKS
    }


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    """The scorer's figures of the submission, and of where the memes were taken from."""
    missing, found = missing_heads(predictions), scored(predictions)
    table: dict[str, dict[str, Cell]] = {
        title: {
            "memes": len(predictions),
            "roc_auc": of.roc_auc if of is not None else Estimate(),
            "f1_micro": of.f1 if of is not None else Estimate(),
            "without a head": ", ".join(missing[task]) or "none",
        }
        for task, title in ((HATE, "hate"), ("pc", "task A: pc"), ("attack", "task B: attack"))
        for of in (found[task],)
    }
    slices = dict.fromkeys(of.groups["slice"] for of in predictions)
    taken: dict[str, dict[str, Cell]] = {
        name: {"memes": sum(of.groups["slice"] == name for of in predictions)} for name in slices
    }
    return {"The published scorer's figures": table, "Held out": taken}


def files(predictions: Sequence[Prediction]) -> Mapping[str, bytes]:
    """The submission: `scorer.py -g annotations -p submission.json` prints the figures of the table."""
    return {SUBMISSION_FILE: submission_of(map(submitted, predictions))}


SUITE = Suite(
    name="woah",
    about="Fine-grained hateful memes of the WOAH shared task, by their text alone: hate, the protected category (task "
    "A) and the attack (task B). submission.json is in the published format; the scorer's figures are micro-averages "
    "over memes and classes with a cut of 0.5. What is in the picture alone cannot be seen here.",
    read=read,
    labels=(HATE, *TARGETS.values(), *ATTACKS.values()),
    own=own,
    files=files,
)
