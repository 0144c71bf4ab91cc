"""What a training run is made of: one commented YAML file, read into a typed recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

RECIPES = Path(__file__).parent / "recipes"
EMBEDDED = RECIPES / "embedded.yaml"

Backbone = Literal["bert", "deberta-v2", "xlm-roberta"]
"""`model_type` of a backbone's configuration: multilingual-e5-small, mDeBERTa-v3, XLM-R."""

Count = Annotated[int, Meta(ge=1)]
Size = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]

MOST_TOKENS = 512
"""Places that backbones know."""


class RecipeError(ValueError):
    """A recipe that cannot be followed: which file, which field, what is expected."""


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of steps with an optimiser of its own."""

    name: str
    steps: Count
    learning_rate: Annotated[float, Meta(gt=0, le=1)]
    warmup: Size
    cooldown: Share
    """The last part of the steps, over which the rate falls to zero."""
    functional: Share
    """Share of the samples that are drawn from our own templates."""
    noise: float | None = None
    """Instead of the recipe's."""

    def rate(self, step: int) -> float:
        """The learning rate at a step of this phase: linear warm-up, constant, linear fall."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        falling = self.steps * self.cooldown
        fall = min(1.0, (self.steps - step) / falling) if falling else 1.0
        return self.learning_rate * min(rise, fall)


class Lora(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Low-rank updates of frozen matrices: W + alpha / rank * B A (Hu et al., arXiv:2106.09685)."""

    rank: Count = 16
    alpha: float = 32.0
    targets: Annotated[tuple[str, ...], Meta(min_length=1)] = (
        "query",
        "key",
        "value",
        "query_proj",
        "key_proj",
        "value_proj",
        "dense",
    )
    """Names of the encoder's linear maps; each that the backbone has gets an update."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The same recipe, data and backbone give the same pack (on one kind of device)."""

    schema: str
    seed: Size
    permissive_only: bool
    vocabulary: Count
    window_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)]
    batch: Count
    weight_decay: Share
    ema: Annotated[float, Meta(ge=0, lt=1)]
    noise: Share
    untagged: Share
    group_cap: Count
    group_power: Share
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)]
    backbone: Backbone = "bert"
    frozen_layers: Size = 2
    """The lowest layers hold what the labelled languages share with the unlabelled ones."""
    tuning: Literal["full", "lora"] = "full"
    lora: Lora = Lora()
    language_adapters: Size = 0
    """Width of the bottleneck of each language's adapters (MAD-X, Pfeiffer et al., arXiv:2005.00052); 0 for none."""

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
    return recipe
