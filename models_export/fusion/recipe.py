"""What a fusion is made of: one commented YAML file, read into a typed recipe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

RECIPES = Path(__file__).parent / "recipes"
EMBEDDED, FULL = RECIPES / "embedded.yaml", RECIPES / "full.yaml"
SCHEMA = "fusion-recipe/1"

Share = Annotated[float, Meta(ge=0, lt=1)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class RecipeError(ValueError):
    """A recipe that cannot be followed: which file, which field, what is expected."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Shape(Part, frozen=True, kw_only=True):
    """The network."""

    words: tuple[str, ...]
    """Streams of tokens that ask: what is read and said."""
    media: tuple[str, ...]
    """Streams that are resampled to latents, and asked."""
    width: Count
    attention_heads: Count
    latents: Count
    """Of each stream of `media`."""
    resampler_layers: Count
    layers: Annotated[int, Meta(ge=1, le=12)]
    """Of gated cross-attention."""
    dropout: Share


class Stage(Part, frozen=True, kw_only=True):
    """A stretch of training. A: the experts are frozen. B: they are trained too."""

    name: Literal["A", "B"]
    epochs: Count
    learning_rate: Positive
    experts_rate: float = 0.0
    """The learning rate of the experts, in stage B."""


class Losses(Part, frozen=True, kw_only=True):
    contrastive: bool
    """Whether words and media of one post are drawn together, and those of other posts apart."""
    temperature: Positive
    hard_negatives: Annotated[int, Meta(ge=0)]
    """Of each row: the words of other posts that are nearest to its own."""
    balance: Literal["uncertainty", "equal"]


class Recipe(Part, frozen=True, kw_only=True):
    """The same recipe and the same features give the same fusion, on one kind of device."""

    schema: str
    seed: int
    shape: Shape
    losses: Losses
    drop: Share
    """ModDrop: the chance of each modality of a row not to be shown in a step; one is always left."""
    batch: Count
    weight_decay: Annotated[float, Meta(ge=0)]
    ensemble: Count
    """Networks of other seeds whose logits are averaged."""
    stages: tuple[Stage, ...]


def read_recipe(path: Path = EMBEDDED) -> Recipe:
    """Raises `RecipeError`."""
    try:
        recipe = msgspec.yaml.decode(path.read_bytes(), type=Recipe)
    except (OSError, msgspec.MsgspecError) as error:
        raise RecipeError(f"{path}: {error}") from None
    for field, reason in problems(recipe):
        raise RecipeError(f"{path}: {field}: {reason}")
    return recipe


def problems(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """(field, what is wrong and expected) of everything that the types alone do not catch."""
    shape = recipe.shape
    if recipe.schema != SCHEMA:
        yield "schema", f"{recipe.schema!r}; expected {SCHEMA}"
    streams = (*shape.words, *shape.media)
    if not shape.words or not shape.media or len(set(streams)) != len(streams):
        yield "shape.words", "expected at least one stream of words and one of media, each named once"
    if shape.width % shape.attention_heads:
        yield "shape.width", f"{shape.width}; expected a multiple of attention_heads ({shape.attention_heads})"
    if not recipe.stages:
        yield "stages", "empty; expected A, and perhaps B after it"
    names = [stage.name for stage in recipe.stages]
    if names != sorted(names):
        yield "stages", "B stands before A; expected the experts to be frozen first"
    for at, stage in enumerate(recipe.stages):
        if (stage.name == "B") != (stage.experts_rate > 0):
            yield f"stages[{at}].experts_rate", f"{stage.experts_rate:g}; expected more than 0 in stage B, and 0 in A"
    if "B" in names and recipe.ensemble > 1:
        yield "ensemble", f"{recipe.ensemble}; expected 1 with a stage B, as each network would train the same experts"
