"""The encoder that training starts from: a local folder, or a name on a model hub."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from models_export.text_expert.recipe import Backbone

FILES = ("config.json", "tokenizer.json", "model.safetensors")

EXAMPLES: Mapping[Backbone, str] = {
    "bert": "intfloat/multilingual-e5-small",
    "deberta-v2": "microsoft/mdeberta-v3-base",
    "xlm-roberta": "FacebookAI/xlm-roberta-base",
}

SPECIAL_IDS: Mapping[Backbone, tuple[int, ...]] = {
    "bert": (0, 1, 2, 3),
    "xlm-roberta": (0, 1, 2, 3),
    "deberta-v2": (1, 0, 2, 3),
}
"""The backbone's ids of a pack's first pieces: beginning, padding, end, unknown."""


def in_order(origin: Sequence[int], kind: Backbone) -> list[int]:
    """`origin` (see `vocabulary.prune`) with the backbone's special pieces where a pack has them."""
    specials = SPECIAL_IDS[kind]
    return [*specials, *origin[len(specials) :]]


def find_backbone(name: str, kind: Backbone = "bert") -> Path:
    """The folder of a backbone; one that is no local folder is fetched from the hub.

    Raises FileNotFoundError where there is none, or ValueError where it is not an encoder of the recipe's kind.
    """
    folder = Path(name)
    if not folder.is_dir():
        folder = _fetch(name)
    for file in FILES:
        if not (folder / file).is_file():
            raise FileNotFoundError(f"{folder / file}: no such file; expected a backbone with {', '.join(FILES)}")
    found = json.loads((folder / "config.json").read_text()).get("model_type")
    if found != kind:
        raise ValueError(
            f"{folder / 'config.json'}: model_type is {found!r}; the recipe's backbone is {kind!r} ({EXAMPLES[kind]})"
        )
    return folder


def _fetch(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except (HFValidationError, OSError) as error:  # no such name, or no hub to be reached
        reason = str(error).strip().partition("\n")[0]
        raise FileNotFoundError(
            f"{name}: neither a folder nor to be had from the model hub ({reason}); expected a folder with"
            f" {', '.join(FILES)}, or a name such as intfloat/multilingual-e5-small"
        ) from error
