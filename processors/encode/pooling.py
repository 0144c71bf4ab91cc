"""One embedding for each part of a post that has words: what the fusion is shown of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from processors.pack.parts import WORD_PARTS, WordPart, parts_of
from schemas import Window


def part_embeddings(
    windows: Sequence[Window], logits: NDArray[np.float32], embeddings: NDArray[np.float32]
) -> dict[WordPart, NDArray[np.float32]]:
    """Part -> the embedding, shape [dim], of its window whose main label (the first head) is highest.

    As with posts it is the worst window that decides; windows over a single line or segment are none of its windows, as
    they lack their neighbours. `logits` [windows, heads] and `embeddings` [windows, dim] are those of `windows`.
    """
    found: dict[WordPart, NDArray[np.float32]] = {}
    for part in WORD_PARTS:
        rows = [at for at, window in enumerate(windows) if _shows_only(window, part)]
        if rows:
            found[part] = embeddings[max(rows, key=lambda at: float(logits[at, 0]))].copy()
    return found


def _shows_only(window: Window, part: WordPart) -> bool:
    return window.reads in ("all", part) and parts_of(span.field for span in window.spans) == {part}
