from __future__ import annotations

from models_export.text_expert.spelling import CODES, LETTERS, NOTHING, code_of, spelling_table


def table_of(*pieces: str) -> list[list[int]]:
    return spelling_table({"model": {"vocab": [[piece, 0.0] for piece in pieces]}}).tolist()


def test_a_piece_is_spelt_with_its_leading_space() -> None:
    (row,) = table_of("▁ab")
    assert row == [code_of(" "), code_of("a"), code_of("b"), *[NOTHING] * (LETTERS - 3)]


def test_what_no_text_gives_has_no_characters() -> None:
    assert table_of("<s>", " <lang=en> ") == [[NOTHING] * LETTERS] * 2


def test_long_pieces_are_cut() -> None:
    (row,) = table_of("abcdefghijk")
    assert row == [code_of(letter) for letter in "abcdefgh"]


def test_printable_ascii_has_codes_of_its_own_and_every_character_has_one() -> None:
    ascii_codes = {code_of(chr(point)) for point in range(0x20, 0x7F)}
    assert len(ascii_codes) == 0x7F - 0x20
    for letter in "äжहع漢😀\U0010ffff":
        assert 0 < code_of(letter) < CODES
        assert code_of(letter) not in ascii_codes
