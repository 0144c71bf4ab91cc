from __future__ import annotations

import random

import pytest

from models_export.text_expert.noise import add_noise

TEXT = "these dogs should simply leave our beautiful country tomorrow"


def test_noise_is_repeatable_from_its_seed() -> None:
    assert [add_noise(TEXT, random.Random(seed)) for seed in range(50)] == [
        add_noise(TEXT, random.Random(seed)) for seed in range(50)
    ]


def test_noise_changes_most_texts_and_keeps_most_of_their_letters() -> None:
    noisy = [add_noise(TEXT, random.Random(seed)) for seed in range(200)]
    assert sum(text != TEXT for text in noisy) > 180
    assert all(0.8 * len(TEXT) <= len(text) <= 2 * len(TEXT) for text in noisy)


@pytest.mark.parametrize("text", ["", " ", "a", "ab cd", "😀", "你好", "  two  spaces  ", "1234 5678", "\n"])
def test_odd_texts_get_through(text: str) -> None:
    for seed in range(100):
        assert isinstance(add_noise(text, random.Random(seed)), str)
