"""Recipes say what they mean, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_export.fusion.recipe import EMBEDDED, FULL, RecipeError, read_recipe


def test_the_embedded_recipe_is_small_over_one_token_a_modality() -> None:
    recipe = read_recipe(EMBEDDED)
    assert (recipe.shape.words, recipe.shape.media) == (("ocr",), ("image",))
    assert recipe.drop == 0.25
    assert [stage.name for stage in recipe.stages] == ["A"]


def test_the_full_recipe_is_the_one_that_was_asked_for() -> None:
    recipe = read_recipe(FULL)
    assert recipe.shape.latents == 64
    assert 2 <= recipe.shape.layers <= 4
    assert recipe.shape.media == ("image", "frame", "audio")
    assert recipe.losses.contrastive
    assert recipe.losses.hard_negatives > 0
    assert recipe.losses.balance == "uncertainty"
    assert [stage.name for stage in recipe.stages] == ["A", "B"]


@pytest.mark.parametrize(
    ("line", "changed", "expected"),
    [
        ("schema: fusion-recipe/1", "schema: fusion-recipe/2", r"schema: 'fusion-recipe/2'; expected fusion-recipe/1"),
        ("drop: 0.25", "drop: 1.5", r"drop"),
        ("drop: 0.25", "dorp: 0.25", r"dorp"),
        ("  width: 32", "  width: 30", r"shape\.width: 30; expected a multiple of attention_heads \(4\)"),
        ("  media: [image]", "  media: [ocr]", r"shape\.words: expected .* each named once"),
        ("{name: A, epochs: 12,", "{name: B, epochs: 12,", r"stages\[0\]\.experts_rate: 0; expected more than 0 in"),
        ("  balance: uncertainty", "  balance: guess", r"balance"),
        (
            "learning_rate: 3.0e-3}",
            "learning_rate: 3.0e-3}\n  - {name: B, epochs: 1, learning_rate: 1.0e-3, experts_rate: 1.0e-5}",
            r"ensemble: 3; expected 1 with a stage B",
        ),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_with_the_place(
    tmp_path: Path, line: str, changed: str, expected: str
) -> None:
    text = EMBEDDED.read_text(encoding="utf-8")
    assert line in text
    file = tmp_path / "recipe.yaml"
    file.write_text(text.replace(line, changed), encoding="utf-8")
    with pytest.raises(RecipeError, match=expected) as caught:
        read_recipe(file)
    assert str(file) in str(caught.value)


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nothing\.yaml"):
        read_recipe(tmp_path / "nothing.yaml")
