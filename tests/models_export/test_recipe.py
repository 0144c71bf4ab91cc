from __future__ import annotations

from pathlib import Path

import pytest

from models_export.text_expert.recipe import EMBEDDED, RECIPES, Phase, RecipeError, read_recipe

PHASE = Phase(name="one", steps=1_000, warmup=100, cooldown=0.3, learning_rate=1.0, functional=0.0)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_recipes_can_be_followed(path: Path) -> None:
    assert read_recipe(path).steps > 0


def test_the_rate_rises_stays_and_falls() -> None:
    rates = [PHASE.rate(step) for step in range(1_000)]
    assert rates[0] < rates[50] < rates[99] == rates[500] == 1.0
    assert rates[700] > rates[850] > rates[999] > 0


def test_every_step_is_in_the_phase_that_its_number_falls_into() -> None:
    recipe = read_recipe()
    first, second = recipe.phases[0].steps, recipe.phases[1].steps
    assert recipe.phase_at(0) == (0, 0)
    assert recipe.phase_at(first - 1) == (0, first - 1)
    assert recipe.phase_at(first) == (1, 0)
    assert recipe.phase_at(first + second) == (2, 0)
    assert recipe.phase_at(recipe.steps)[0] == len(recipe.phases) - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed: 7", "seed: seven"), "seed"),
        (("batch: 32", "bach: 32"), "bach"),
        (("text-recipe/1", "text-recipe/2"), "expected text-recipe/1"),
    ],
)
def test_a_recipe_that_cannot_be_followed_says_why(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(EMBEDDED.read_text().replace(*change))
    with pytest.raises(RecipeError, match=message):
        read_recipe(path)
