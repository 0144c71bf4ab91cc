from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

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
    text = EMBEDDED.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(RecipeError, match=message):
        read_recipe(path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("batch", 0, ">= 1"),
        ("seed", -7, ">= 0"),
        ("window_tokens", 4096, "<= 512"),
        ("ema", 1.0, "< 1.0"),
        ("noise", float("nan"), ">= 0.0"),
        ("group_power", 1.5, "<= 1.0"),
        ("phases", [], "length >= 1"),
        ("phases[0].steps", -2700, ">= 1"),
        ("phases[0].warmup", -1, ">= 0"),
        ("phases[0].cooldown", 4, "<= 1.0"),
        ("phases[0].functional", 20, "<= 1.0"),
        ("phases[0].learning_rate", float("inf"), "<= 1.0"),
    ],
)
def test_a_number_out_of_its_range_is_named_with_its_place(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    path = tmp_path / "recipe.yaml"
    tree = yaml.safe_load(EMBEDDED.read_text())
    phase, _, name = field.rpartition(".")
    (tree["phases"][0] if phase else tree)[name] = value
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(RecipeError, match=rf"recipe.yaml: .*{message} - at `\$.{re.escape(field)}`"):
        read_recipe(path)
