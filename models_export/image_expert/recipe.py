"""What a training run of the image expert is made of: one commented YAML file, read into a typed recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from models_export.text_expert.recipe import Lora, RecipeError
from schemas import LABELS

FULL = Path(__file__).parent / "recipes" / "full.yaml"


class ImageRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same recipe, data and backbone give the same weights (on one kind of device)."""

    schema: Literal["image-recipe/1"]
    seed: int
    backbone: str
    labels: tuple[str, ...]
    datasets: tuple[str, ...]
    lora: Lora
    batch: int
    steps: int
    learning_rate: float
    warmup: int
    weight_decay: float

    def rate(self, step: int) -> float:
        """Linear warm-up, then a linear fall to zero at the last step."""
        rise = (step + 1) / max(1, self.warmup)
        return self.learning_rate * min(1.0, rise, (self.steps - step) / max(1, self.steps - self.warmup))


def read_recipe(path: Path = FULL) -> ImageRecipe:
    """Raises `RecipeError`."""
    try:
        recipe = msgspec.yaml.decode(path.read_bytes(), type=ImageRecipe)
    except (OSError, msgspec.MsgspecError) as error:
        raise RecipeError(f"{path}: {error}") from None
    if odd := set(recipe.labels) - set(LABELS):
        raise RecipeError(f"{path}: labels: {', '.join(sorted(odd))}; expected some of {', '.join(LABELS)}")
    if not recipe.labels or min(recipe.batch, recipe.steps, recipe.lora.rank) < 1:
        raise RecipeError(f"{path}: expected at least one label, and batch, steps and rank of at least 1")
    return recipe
