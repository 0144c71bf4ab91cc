"""`pack/1`: the manifest of a model pack, which says what its files are, how to call them and what was measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from processors.pack.layout import TextLayout
from processors.packs.asr_part import AsrModel
from processors.packs.fusion_part import FusionExpert, Gating
from processors.packs.image_part import ImageExpert
from processors.packs.ocr_part import OcrModels
from processors.packs.parts import (
    Calibration,
    Count,
    Figures,
    LabelCard,
    LanguageCard,
    Origin,
    PackFile,
    PackName,
    Part,
    Probability,
    Tensor,
    Text,
    TokenId,
)
from schemas import LABELS
from schemas.post import Timestamp

MANIFEST_FILE = "manifest.json"
PACK_SCHEMA = "pack/1"


class TextInputs(Part, frozen=True, kw_only=True):
    """Both of shape [rows, tokens]."""

    ids: Tensor
    """Token ids, padded at the right end with `layout.pad`."""
    mask: Tensor
    """1 for a token, 0 for padding."""


class TextOutputs(Part, frozen=True, kw_only=True):
    logits: Tensor
    """Shape [rows, heads], before calibration, in the order of `heads`."""
    embedding: Tensor
    """Shape [rows, embedding_size]."""


class Layout(Part, frozen=True, kw_only=True):
    """`processors.pack.layout.TextLayout` with the token ids of this pack's tokenizer."""

    order: tuple[Text, ...] = ("ocr", "asr", "title", "text")
    context: Text = "parent"
    window_tokens: Annotated[int, Meta(ge=8, le=8192)] = 96
    overlap_tokens: Count = 24
    context_tokens: Count = 24
    max_windows: Annotated[int, Meta(ge=1, le=10_000)] = 24
    languages: dict[str, TokenId]
    """Language tag -> id of its `<lang=xx>` token; `und` is required."""
    markers: dict[str, TokenId]
    """Field -> id of the token before it; required for every field of `order` and for `context`."""
    bos: TokenId = 0
    pad: TokenId = 1
    eos: TokenId = 2
    unk: TokenId = 3

    def to_text_layout(self) -> TextLayout:
        """Raises ValueError where the sizes leave no room for text."""
        return TextLayout(
            order=self.order,
            context=self.context,
            window_tokens=self.window_tokens,
            overlap_tokens=self.overlap_tokens,
            context_tokens=self.context_tokens,
            max_windows=self.max_windows,
            languages=self.languages,
            markers=self.markers,
            bos=self.bos,
            pad=self.pad,
            eos=self.eos,
        )


class TextExpert(Part, frozen=True, kw_only=True):
    """The graph that reads text."""

    graph: PackFile
    tokenizer: PackFile
    """A `tokenizers` file (tokenizer.json)."""
    layout: Layout
    inputs: TextInputs
    outputs: TextOutputs
    heads: tuple[str, ...]
    """What each column of the logits stands for, of `processors.packs.heads.TEXT_HEADS`; the first is a label."""
    embedding_size: Annotated[int, Meta(ge=1, le=65_536)]
    isolation: Literal["row", "batch"]
    """`row`: one window a run, without padding, because rows of one run influence each other (dynamic int8 takes one
    activation scale per tensor). `batch`: rows and padding do not influence each other."""
    precision: Text = "fp32"
    """For people: `fp32`, `int8-dynamic`, `int8-weight-only`, …"""


class Training(Part, frozen=True, kw_only=True):
    datasets: tuple[Origin, ...]
    seed: int
    recipe: dict[str, Any] = {}


class Manifest(Part, frozen=True, kw_only=True):
    """`manifest.json`."""

    schema: Literal["pack/1"]
    name: PackName
    version: Text
    created: Timestamp
    licence: Text
    """SPDX identifier of the pack itself."""
    backbone: Origin
    text: TextExpert
    ocr: OcrModels | None = None
    """Without it, what is written in pictures cannot be read."""
    asr: AsrModel | None = None
    """Without it, what is said in sounds cannot be heard."""
    image: ImageExpert | None = None
    """Without it, pictures are judged by what is written in them alone."""
    fusion: FusionExpert | None = None
    """What judges words and pictures together; without it, the highest of the experts' scores counts."""
    gating: Gating = Gating()
    """How far each modality is trusted, by how well it was read."""
    files: tuple[PackFile, ...] = ()
    """Further files that the graphs need, such as external weights."""
    calibration: dict[str, Calibration]
    """One per measured head."""
    thresholds: dict[str, Probability]
    """One per measured head: the pack's own advice, which a policy may overrule."""
    labels: dict[str, LabelCard]
    """A card per head, and for any other label there is something to say about."""
    languages: dict[str, LanguageCard]
    """By the tag that ingest finds: ISO 639 codes such as `en`."""
    training: Training
    figures: Figures = {}

    @property
    def measured(self) -> tuple[str, ...]:
        """Labels that are published, in the order of the heads."""
        return tuple(head for head in self.measured_heads if head in LABELS)

    @property
    def measured_heads(self) -> tuple[str, ...]:
        """Heads that are published, in their order: labels and what refines them."""
        return tuple(head for head in self.text.heads if self.labels[head].status == "measured")
