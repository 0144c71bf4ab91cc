"""What every part of a pack's manifest is made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
PackName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0)]
TokenId = Annotated[int, Meta(ge=0)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Figures = dict[str, Any]
"""Whatever was measured, for people and reports; nothing decides by it."""


# Unknown fields are an error here, unlike in messages: a field that this version does not know (a misspelt one, or a
# later version's) would change what the pack means without anybody noticing.
class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PackFile(Part, frozen=True, kw_only=True):
    """A file of the pack: its path below the pack's folder, with `/`."""

    path: Text
    sha256: Sha256
    bytes: Count


class Tensor(Part, frozen=True, kw_only=True):
    """One input or output of a graph."""

    name: Text
    dtype: Literal["int32", "int64", "float16", "float32"]


class Calibration(Part, frozen=True, kw_only=True):
    """probability = sigmoid((logit + bias) / temperature)."""

    temperature: Annotated[float, Meta(gt=0)]
    bias: float = 0.0


class ClassRows(Part, frozen=True, kw_only=True):
    positives: Count
    negatives: Count


class LabelCard(Part, frozen=True, kw_only=True):
    """What is known about a label. Only a measured one is ever published; any other is `not_assessed`."""

    status: Literal["measured", "not_assessed"]
    training_rows: ClassRows | None = None
    dev: Figures = {}
    note: str | None = None


class LanguageCard(Part, frozen=True, kw_only=True):
    """`measured`: both classes on dev. `zero_shot`: the backbone knows it, no labelled text of it was measured.

    `unsupported`: it cannot be read; so is every language that no card names.
    """

    status: Literal["measured", "zero_shot", "unsupported"]
    dev: Figures = {}
    note: str | None = None


class Origin(Part, frozen=True, kw_only=True):
    """Something that went into the pack, and the licence under which it did."""

    name: Text
    licence: Text
    """SPDX identifier where there is one."""
    url: str | None = None
    revision: str | None = None
    rows: Count | None = None
    citation: str | None = None
