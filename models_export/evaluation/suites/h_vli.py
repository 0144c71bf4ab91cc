"""`h-vli`: posts whose text, picture and whole were judged apart, by their eight patterns and three difficulties.

A pattern is three digits, 1 for hateful: text, picture, whole. `001` is emergent hate, `010`, `100` and `110` are
neutralised. Where the pictures are not there, what is measured is what the text alone can say of the whole.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from models_export.evaluation.judgement.figures import Judged, judged, share
from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.suite import Cell, Item, Source, Suite, Table
from models_export.evaluation.labelled_media import TENANT, SuiteError
from models_export.evaluation.suites.held_out import held_out
from models_export.measures import confusion, levels
from models_export.measures.bootstrap import Estimate, estimate
from processors.policy import INTERACTION_EMERGENT, INTERACTION_NEUTRALISED
from schemas import Media, Post

POSTS = (Path("named/h_vli/train_set.json.xz"), Path("named/h_vli/train_set.json"))
POOL_SET = "h_vli"

HATE = "hate"
NOT_HATE = "NotHate"
TARGETS = {
    "Racist": "target.race",
    "Sexist": "target.sex",
    "Homophobe": "target.sexual_orientation",
    "Religion": "target.religion",
    "OtherHate": "target.other",
}

INTERACTIONS = {INTERACTION_EMERGENT: ("001",), INTERACTION_NEUTRALISED: ("010", "100", "110")}
"""Flag -> the patterns that it is meant for: no part is hateful and the whole is, or some part is and the whole not."""

TEXT_ONLY, WITH_PICTURE = "text alone", "text and picture"


class Labelled(msgspec.Struct, frozen=True, rename={"pattern": "type"}):
    """An entry of the published file."""

    tweet_text: str
    image_path: str
    text_label_str: str
    image_label_str: str
    final_label_str: str
    pattern: Annotated[str, Meta(pattern="^[01]{3}$")]
    difficulty: str


def read_posts(data: Path) -> dict[str, Labelled]:
    """Id -> post. Raises SuiteError where there is no file, and for one that cannot be understood."""
    path = next((data / name for name in POSTS if (data / name).is_file()), None)
    if path is None:
        raise SuiteError(f"{data}: no {POSTS[0]}; expected the training set of H-VLI")
    try:
        raw = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        return msgspec.json.decode(raw, type=dict[str, Labelled])
    except (lzma.LZMAError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: {error}; expected ids and posts of H-VLI") from None


def read(source: Source) -> list[Item]:
    posts = read_posts(source.data)
    kept, slice_ = held_out(source, POOL_SET, list(posts))
    items = [_item(source.data, name, of, slice_) for name, of in posts.items() if name in kept]
    return sorted(items, key=lambda item: (item.groups["pattern"], item.groups["difficulty"], item.post.post_id))


def _item(data: Path, name: str, of: Labelled, slice_: str) -> Item:
    picture = _picture(data, of.image_path)
    media = () if picture is None else (Media(media_id="picture", kind="image", uri=picture.as_uri()),)
    truth = {HATE: int(of.final_label_str != NOT_HATE)}
    truth |= {head: int(of.final_label_str == label) for label, head in TARGETS.items()}
    groups = {
        "lang": "en",
        "pattern": of.pattern,
        "difficulty": of.difficulty,
        "text_label": str(int(of.text_label_str != NOT_HATE)),
        "shown": TEXT_ONLY if picture is None else WITH_PICTURE,
        "slice": slice_,
    }
    return Item(Post(post_id=name, tenant=TENANT, text=of.tweet_text, media=media), groups, truth)


def _picture(data: Path, named_path: str) -> Path | None:
    """The picture's file below the data folder, or beside the annotations; None where it is not there."""
    for folder in (data, data / POSTS[0].parent):
        path = (folder / named_path).resolve()
        if path.is_relative_to(data.resolve()) and path.is_file():
            return path
    return None


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    return {
        "Shown": {
            name: {"posts": len(of), "held out": ", ".join(sorted(set(named(of, "slice"))))}
            for name, of in named(predictions, "shown").items()
        },
        "Hate, against the label of the text alone and of the whole": {
            f"{name}, {against}": row
            for name, of in named(predictions, "shown").items()
            for against, row in (("text label", _row(against_text(of))), ("final label", _row(judged(of, HATE))))
        },
        "By pattern (text, picture, whole)": {
            name: _by_pattern(of) for name, of in named(predictions, "pattern").items()
        },
        "By difficulty": {
            f"{name}, {against}": row
            for name, of in named(predictions, "difficulty").items()
            for against, row in (("text label", _row(against_text(of))), ("final label", _row(judged(of, HATE))))
        },
        "Flags of interaction": {flag: _flag(predictions, flag) for flag in INTERACTIONS},
    }


def against_text(predictions: Sequence[Prediction]) -> Judged | None:
    """As `judged`, with the label that the text has by itself."""
    by_text = [msgspec.structs.replace(of, truth={HATE: int(of.groups["text_label"])}) for of in predictions]
    return judged(by_text, HATE)


def _row(found: Judged | None) -> dict[str, Cell]:
    if found is None:
        return {"posts": 0, "hateful": 0, "accuracy": Estimate(), "macro-F1": Estimate(), "ROC-AUC": Estimate()}
    cells = confusion.cells(found.said, found.truth)[None]
    counts = levels.level_counts(found.scores, found.truth)[None]
    return {
        "posts": len(found.truth),
        "hateful": int(found.truth.sum()),
        "accuracy": estimate(cells, lambda drawn: confusion.accuracy(drawn[..., 0, :])),
        "macro-F1": estimate(cells, lambda drawn: confusion.macro_f1(drawn[..., 0, :])),
        "ROC-AUC": estimate(counts, lambda drawn: levels.roc_auc(drawn[..., 0, :, :])),
    }


def _by_pattern(predictions: Sequence[Prediction]) -> dict[str, Cell]:
    """All posts of a pattern have the same labels, so that accuracy is all there is to say, and what was said."""
    found, by_text = judged(predictions, HATE), against_text(predictions)
    scores = [of.probabilities[HATE] for of in predictions if HATE in of.probabilities]
    return {
        "posts": len(predictions),
        "said hateful": _right(found, np.ones(len(found.said), bool)) if found else Estimate(),
        "right by text label": _right(by_text, by_text.truth) if by_text else Estimate(),
        "right by final label": _right(found, found.truth) if found else Estimate(),
        "mean probability": float(np.mean(scores)) if scores else None,
        **{flag: sum(flag in of.flags for of in predictions) for flag in INTERACTIONS},
    }


def _right(found: Judged, truth: np.ndarray) -> Estimate:
    return share(int((found.said == truth).sum()), len(truth))


def _flag(predictions: Sequence[Prediction], flag: str) -> Mapping[str, Cell]:
    """Precision and recall of a flag among posts with a picture; without one there is nothing that could interact."""
    seen = [of for of in predictions if of.groups["shown"] == WITH_PICTURE and of.error is None]
    flagged = [of for of in seen if flag in of.flags]
    meant = [of for of in seen if of.groups["pattern"] in INTERACTIONS[flag]]
    right = sum(flag in of.flags for of in meant)
    return {
        "meant for": ", ".join(INTERACTIONS[flag]),
        "posts with a picture": len(seen),
        "flagged": len(flagged),
        "precision": share(right, len(flagged)) if flagged else Estimate(),
        "recall": share(right, len(meant)) if meant else Estimate(),
    }


SUITE = Suite(
    name="h-vli",
    about="Posts of text and picture whose parts were judged apart: patterns are text, picture, whole (1 is hateful). "
    "Where the pictures are not there, the text alone is judged, against its own label and that of the whole; no text "
    "can tell what only the picture shows.",
    read=read,
    labels=(HATE, *TARGETS.values()),
    groups=("pattern", "difficulty"),
    own=own,
)
