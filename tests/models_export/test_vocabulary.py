from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from models_export.text_expert.vocabulary import MASK_PIECES, SPECIALS, prune
from processors.pack.layout import FIELD_MARKERS

WORDS = {"▁good": -4.0, "▁bad": -4.1, "▁day": -4.2, "▁common": -3.0, "▁rare": -9.0, "▁rarest": -10.0}
LETTERS = sorted({letter for word in WORDS for letter in word} | set("你好жд"))


def write_backbone(folder: Path) -> Path:
    """A backbone's tokenizer: specials, single characters and a few words; `<mask>` stands last."""
    pieces = [
        *((name, 0.0) for name in SPECIALS),
        *((letter, -8.0) for letter in LETTERS),
        *WORDS.items(),
        ("<mask>", 0.0),
    ]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=SPECIALS.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens([*SPECIALS, "<mask>"])
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def pruned(tmp_path: Path) -> tuple[Tokenizer, list[int], dict[str, Any]]:
    texts = ["good bad"] * 3 + ["day"]
    budget = len(SPECIALS) + len(LETTERS) + 3
    spec, origin, ids = prune(write_backbone(tmp_path / "backbone"), texts, ["en", "de"], budget)
    return Tokenizer.from_str(json.dumps(spec)), origin, ids


def pieces_of(tokenizer: Tokenizer, text: str) -> list[str]:
    return tokenizer.encode(text, add_special_tokens=False).tokens


def test_used_pieces_stay_and_the_budget_is_filled_with_the_most_probable(pruned: Any) -> None:
    tokenizer, _, _ = pruned
    assert pieces_of(tokenizer, "good bad common") == ["▁good", "▁bad", "▁common"]


def test_a_dropped_word_is_spelled_in_characters(pruned: Any) -> None:
    tokenizer, _, _ = pruned
    assert "".join(pieces_of(tokenizer, "rarest")) == "▁rarest"
    assert "▁rarest" not in tokenizer.get_vocab()


def test_no_script_becomes_unreadable(pruned: Any) -> None:
    tokenizer, _, _ = pruned
    assert SPECIALS.index("<unk>") not in tokenizer.encode("你好 жд", add_special_tokens=False).ids


def test_names_and_addresses_have_a_piece_of_their_own(pruned: Any) -> None:
    tokenizer, _, _ = pruned
    for piece in MASK_PIECES:
        assert pieces_of(tokenizer, f"good {piece[1:]} bad")[1] == piece


@pytest.mark.parametrize("text", ["<s>", "</s>", "<mask>", "<lang=en>", "<text>", " <lang=en> ", " <s> "])
def test_nothing_that_a_person_writes_becomes_a_special_token(pruned: Any, text: str) -> None:
    tokenizer, _, ids = pruned
    special = {*range(3), *ids["languages"].values(), *ids["markers"].values()}
    assert not special & set(tokenizer.encode(text, add_special_tokens=False).ids)


def test_every_language_and_field_has_a_token(pruned: Any) -> None:
    _, origin, ids = pruned
    assert set(ids["languages"]) == {"und", "de", "en"}
    assert set(ids["markers"]) == set(FIELD_MARKERS)
    added = [*ids["languages"].values(), *ids["markers"].values()]
    assert len(set(added)) == len(added)
    assert all(origin[token] == -1 for token in added)


def test_kept_pieces_know_their_place_in_the_backbone(pruned: Any, tmp_path: Path) -> None:
    tokenizer, origin, _ = pruned
    before = Tokenizer.from_file(str(tmp_path / "backbone" / "tokenizer.json"))
    for piece in ("▁good", "你", "a"):
        assert before.id_to_token(origin[tokenizer.token_to_id(piece)]) == piece


def test_another_kind_of_tokenizer_is_refused(tmp_path: Path) -> None:
    Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match="expected Unigram"):
        prune(tmp_path, [], [], 100)
