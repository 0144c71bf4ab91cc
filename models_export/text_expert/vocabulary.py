"""Prune the backbone's vocabulary to what a pack needs, and give it the pieces that the layout needs.

A multilingual encoder spends four fifths of its weights on embeddings of pieces that most posts never use. Kept are:
every single character (so that no script becomes unreadable), the pieces that the pool uses, and then the backbone's
most probable pieces, which are the common ones of all the languages it knows, up to the budget.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from processors.pack.layout import FIELD_MARKERS, UNKNOWN_LANGUAGE
from processors.text.model_view import URL_MARK, USER_MARK, mask

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
SPACE = "\u2581"  # the tokenizer's mark of a word's beginning
MASK_PIECES = (SPACE + USER_MARK, SPACE + URL_MARK)
# A piece seen once in the pool is as likely noise as a word.
MIN_USES = 2


def unmatchable(name: str) -> str:
    """The name of a piece that no text can produce: the tokenizer turns every space into SPACE before it looks."""
    return f" {name} "


def prune(
    source: Path, texts: Iterable[str], languages: Iterable[str], budget: int
) -> tuple[dict[str, Any], list[int], dict[str, Any]]:
    """Make a pack's tokenizer from the backbone's.

    Returns the new tokenizer as JSON, for every new id the backbone's id (-1 for pieces it lacks), and the token ids
    that the layout needs: `{"languages": {tag: id}, "markers": {field: id}}`.
    """
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    spec: dict[str, Any] = json.loads(tokenizer.to_str())
    if spec["model"]["type"] != "Unigram":
        raise ValueError(f"{source / 'tokenizer.json'}: a {spec['model']['type']} tokenizer; expected Unigram")
    vocab: list[tuple[str, float]] = [(piece, score) for piece, score in spec["model"]["vocab"]]
    uses: Counter[int] = Counter()
    batch: list[str] = []
    for text in texts:
        batch.append(mask(text)[0])
        if len(batch) == 4096:
            _count(tokenizer, batch, uses)
            batch.clear()
    _count(tokenizer, batch, uses)

    keep = set(range(len(SPECIALS)))
    added = {token["id"] for token in spec["added_tokens"]} - keep
    single = {at for at, (piece, _) in enumerate(vocab) if len(piece.removeprefix(SPACE)) <= 1}
    keep |= single - added
    for at, count in uses.most_common():
        if count < MIN_USES or len(keep) >= budget:
            break
        keep.add(at)
    by_score = sorted(
        (at for at in range(len(vocab)) if at not in keep and at not in added), key=lambda at: -vocab[at][1]
    )
    keep |= set(by_score[: max(0, budget - len(keep))])

    origin = [*range(len(SPECIALS)), *sorted(keep - set(range(len(SPECIALS))))]
    pieces = [(unmatchable(name), 0.0) for name in SPECIALS] + [vocab[at] for at in origin[len(SPECIALS) :]]
    known = {piece for piece, _ in pieces}
    best = max(score for _, score in pieces[len(SPECIALS) :])
    for piece in MASK_PIECES:
        if piece not in known:
            pieces.append((piece, best))
            origin.append(-1)
    ids: dict[str, Any] = {"languages": {}, "markers": {}}
    for kind, names in (("markers", FIELD_MARKERS), ("languages", (UNKNOWN_LANGUAGE, *sorted(languages)))):
        for name in names:
            ids[kind][name] = len(pieces)
            pieces.append((unmatchable(f"<{name}>" if kind == "markers" else f"<lang={name}>"), 0.0))
            origin.append(-1)
    spec["model"]["vocab"] = [[piece, score] for piece, score in pieces]
    # What a person writes is text: no string of theirs may become a special token.
    spec["added_tokens"] = []
    spec["post_processor"] = None
    return spec, origin, ids


def _count(tokenizer: Tokenizer, batch: list[str], uses: Counter[int]) -> None:
    for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
        uses.update(encoding.ids)
