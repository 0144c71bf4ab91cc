"""What a training run is made of: one commented YAML file, read into a typed recipe."""

from __future__ import annotations

from pathlib import Path

import msgspec

RECIPES = Path(__file__).parent / "recipes"
EMBEDDED = RECIPES / "embedded.yaml"


class RecipeError(ValueError):
    """A recipe that cannot be followed: which file, which field, what is expected."""


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of steps with an optimiser of its own."""

    name: str
    steps: int
    learning_rate: float
    warmup: int
    cooldown: float
    """The last part of the steps, over which the rate falls to zero."""
    functional: float
    """Share of the samples that are drawn from our own templates."""

    def rate(self, step: int) -> float:
        """The learning rate at a step of this phase: linear warm-up, constant, linear fall."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        falling = self.steps * self.cooldown
        fall = min(1.0, (self.steps - step) / falling) if falling else 1.0
        return self.learning_rate * min(rise, fall)


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same recipe, data and backbone give the same pack (on one kind of device)."""

    schema: str
    seed: int
    permissive_only: bool
    vocabulary: int
    window_tokens: int
    batch: int
    weight_decay: float
    ema: float
    noise: float
    untagged: float
    group_cap: int
    group_power: float
    phases: tuple[Phase, ...]

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def phase_at(self, step: int) -> tuple[int, int]:
        """(phase, step within it) of a step of the whole run; the last phase's end for its last step."""
        for at, phase in enumerate(self.phases):
            if step < phase.steps:
                return at, step
            step -= phase.steps
        return len(self.phases) - 1, self.phases[-1].steps


def read_recipe(path: Path = EMBEDDED) -> Recipe:
    """Raises `RecipeError`."""
    try:
        recipe = msgspec.yaml.decode(path.read_bytes(), type=Recipe)
    except (OSError, msgspec.MsgspecError) as error:
        raise RecipeError(f"{path}: {error}") from None
    if recipe.schema != "text-recipe/1":
        raise RecipeError(f"{path}: schema {recipe.schema!r}; expected text-recipe/1")
    if not recipe.phases:
        raise RecipeError(f"{path}: phases: expected at least one")
    return recipe
