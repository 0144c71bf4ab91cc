"""What the experts say of a post, by part: its own text, the lines in its pictures, what is said in its sound, the
pictures themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from processors.contract import ProcessingError
from processors.pack.parts import WORD_PARTS, WordPart, parts_of
from processors.packs import Pack
from processors.packs.calibration import Calibration
from processors.packs.heads import IMPLICIT
from schemas import Cause, Record, Window

Part = Literal["whole", "together", "text", "ocr", "asr", "image"]
"""`whole`: all that the text expert read, own text, lines and speech together and apart; `together`: the windows over
all of them, of posts where such a window shows more than one; `text`: own text alone; `ocr`: the lines alone; `asr`:
the speech alone; `image`: the pictures."""

Probabilities = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PostScores:
    """Calibrated probabilities, not rounded."""

    windows: NDArray[np.float64]
    """Shape [windows, text labels]; no rows where the text expert has read nothing."""
    pictures: NDArray[np.float64]
    """Shape [pictures, image labels]; no rows where the image expert has judged nothing."""
    parts: Mapping[Part, Probabilities]
    """Label -> the highest probability of the part's windows or pictures; only of parts that were judged."""
    details: Probabilities
    """Head of the text expert that is no label -> its highest probability in the windows of `whole`; `implicit` as the
    most abusive of them has it."""


class Judge:
    """Reads the experts' sections of records. Safe to call from several threads."""

    def __init__(self, pack: Pack) -> None:
        self._text = Calibration(pack)
        self._image = Calibration(pack, "image")
        self._details = Calibration(pack, heads=pack.details)
        self.text_labels = self._text.heads
        self.image_labels = self._image.heads

    def expected(self, record: Record) -> set[str]:
        """The labels that the experts assess where there is something to judge: words for the one, pictures for the
        other."""
        words = record.pack is not None and bool(record.pack.windows)
        return {*(self.text_labels if words else ()), *(self.image_labels if record.pictures else ())}

    def scores(self, record: Record) -> PostScores:
        """Raises `ProcessingError` for logits that do not belong to the record's windows, or not to this pack."""
        parts: dict[Part, Probabilities] = {}
        details: Probabilities = {}
        windows = np.zeros((0, len(self.text_labels)))
        pictures = np.zeros((0, len(self.image_labels)))
        # Without rows there was nothing to read, and they need not have columns.
        if record.encode is not None and len(record.encode.logits):
            shown = record.pack.windows if record.pack is not None else ()
            windows = _exact(self._text, record.encode.logits, len(shown), "encode.logits")
            parts |= _text_parts(shown, windows, self.text_labels)
            details = self._detailed(shown, record.encode.logits)
        image = record.encode.image if record.encode is not None else None
        if image is not None and len(image.logits) and self.image_labels:
            pictures = _exact(self._image, image.logits, len(record.pictures), "encode.image.logits")
            parts["image"] = _highest(pictures, self.image_labels)
        return PostScores(windows, pictures, parts, details)

    def _detailed(self, windows: Sequence[Window], logits: NDArray[np.float32]) -> dict[str, float]:
        shown = [at for at, window in enumerate(windows) if not _is_single(window)]
        if not shown or not self._details.heads:
            return {}
        whole = logits[shown]
        found = self._details.exact(whole)
        details = _highest(found, self._details.heads)
        if IMPLICIT in details:
            # Of harmless windows it means nothing: the worst one, by the main label, says how openly it is said.
            details[IMPLICIT] = float(found[whole[:, 0].argmax(), self._details.heads.index(IMPLICIT)])
        return details


def is_of(window: Window, part: WordPart) -> bool:
    """Whether a window shows that part of the post and no other; single lines and segments are no part of their own."""
    return not _is_single(window) and _shown(window) == {part}


def _shown(window: Window) -> set[WordPart]:
    return parts_of(span.field for span in window.spans)


def _is_single(window: Window) -> bool:
    return window.reads in ("line", "segment")


def _text_parts(
    windows: Sequence[Window], found: NDArray[np.float64], labels: Sequence[str]
) -> dict[Part, Probabilities]:
    # A line alone lacks its neighbours, as a segment does: it says where to look, not what the post means. Counted
    # among the rest, lines would flag 14% of harmless memes for abuse instead of 10%, and tell them apart hardly better
    # (AUC 0.649 for 0.643, on 1,250 memes).
    rows: dict[Part, list[int]] = {"whole": [at for at, window in enumerate(windows) if not _is_single(window)]}
    for part in WORD_PARTS:
        rows[part] = [at for at, window in enumerate(windows) if is_of(window, part)]
    if any(len(_shown(windows[at])) > 1 for at in rows["whole"]):
        rows["together"] = [at for at in rows["whole"] if windows[at].reads == "all" or len(_shown(windows[at])) > 1]
    return {part: _highest(found[chosen], labels) for part, chosen in rows.items() if chosen}


def _highest(found: NDArray[np.float64], labels: Sequence[str]) -> dict[str, float]:
    return dict(zip(labels, found.max(axis=0).tolist(), strict=True))


def _exact(calibration: Calibration, logits: NDArray[np.float32], rows: int, field: str) -> NDArray[np.float64]:
    if len(logits) != rows:
        raise ProcessingError(Cause.INVALID_RECORD, f"{len(logits)} rows of logits; expected {rows}", field)
    try:
        return calibration.exact(logits)
    except ValueError as error:
        raise ProcessingError(Cause.INVALID_RECORD, str(error), field) from None
