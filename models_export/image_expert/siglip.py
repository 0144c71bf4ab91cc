"""SigLIP-2 as the image expert of a larger pack: its vision tower with pooled features and linear heads, as ONNX.

SigLIP 2 (Tschannen et al., arXiv:2502.14786; Apache-2.0), `google/siglip2-base-patch16-224` and its siblings of a fixed
size: they are SigLIP models to transformers. The NaFlex ones take patches of any number instead of pixels, and are
refused.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import AutoConfig, SiglipModel, SiglipVisionModel
from transformers.utils import cached_file

BASE = "google/siglip2-base-patch16-224"
OPSET = 18
PROCESSOR_FILE = "preprocessor_config.json"

Precision = Literal["fp32", "fp16"]
_DTYPES: dict[Precision, tuple[torch.dtype, str]] = {
    "fp32": (torch.float32, "float32"),
    "fp16": (torch.float16, "float16"),
}
_RESAMPLING = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers, which processors' files use."""


@dataclass(frozen=True)
class Heads:
    """logits = features @ weight.T + bias; features of unit length first where `normalised`, as zero-shot needs."""

    labels: tuple[str, ...]
    weight: Tensor
    """Shape [labels, features]."""
    bias: Tensor
    """Shape [labels]."""
    normalised: bool = False


def load_vision(source: str | Path) -> SiglipVisionModel:
    """The vision tower of a folder or a name on the hub, in fp32. Raises ValueError for another kind of model."""
    _require_fixed_size(source)
    return SiglipVisionModel.from_pretrained(source, dtype=torch.float32).eval()


def load_both(source: str | Path) -> SiglipModel:
    """Vision and text towers, for zero-shot heads. Raises ValueError for another kind of model."""
    _require_fixed_size(source)
    return SiglipModel.from_pretrained(source, dtype=torch.float32).eval()


def image_input(source: str | Path, precision: Precision = "fp32") -> dict[str, Any]:
    """The manifest's `image.input` from the model's own processor.

    Raises ValueError for a processor that does what the manifest cannot say.
    """
    path = cached_file(str(source), PROCESSOR_FILE)
    if path is None:
        raise ValueError(f"{source}: no {PROCESSOR_FILE}; expected one beside the model")
    config: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    size = config["size"]
    if config.get("do_center_crop") or "height" not in size or size["height"] != size["width"]:
        raise ValueError(f"{path}: size {size}; expected a square to which pictures are resized, and no crop")
    if config["resample"] not in _RESAMPLING:
        raise ValueError(f"{path}: resample {config['resample']}; expected 2 (bilinear) or 3 (bicubic)")
    # (value * factor - mean) / std, in units of 0..255.
    scale = 1 / config.get("rescale_factor", 1 / 255)
    return {
        "tensor": {"name": "pictures", "dtype": _DTYPES[precision][1]},
        "layout": "nchw",
        "channels": "rgb",
        "resize": size["height"],
        "size": size["height"],
        "resample": _RESAMPLING[config["resample"]],
        "mean": [value * scale for value in config["image_mean"]],
        "std": [value * scale for value in config["image_std"]],
    }


def zero_shot(model: SiglipModel, prompts: Mapping[str, Tensor]) -> Heads:
    """A head per label from the token ids [1, tokens] of its prompt: the model's own log-odds that they match.

    logit = exp(scale) * <picture, prompt> + bias, both of unit length (SigLIP, arXiv:2303.15343).
    """
    with torch.no_grad():
        found = [model.get_text_features(input_ids=ids) for ids in prompts.values()]
        texts = torch.cat([one if isinstance(one, Tensor) else one.pooler_output for one in found])
        scale = model.logit_scale.exp()
        weight = nn.functional.normalize(texts, dim=-1) * scale
        return Heads(tuple(prompts), weight, model.logit_bias.expand(len(prompts)).clone(), normalised=True)


class ImageTower(nn.Module):
    """pictures [pictures, 3, size, size] -> logits [pictures, labels], features [pictures, features]."""

    def __init__(self, vision: SiglipVisionModel, heads: Heads) -> None:
        super().__init__()
        self.vision = vision
        self.normalised = heads.normalised
        self.heads = nn.Linear(heads.weight.shape[1], len(heads.labels))
        self.heads.weight.data, self.heads.bias.data = heads.weight.clone(), heads.bias.clone()

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features = self.vision(pixel_values=pictures).pooler_output
        seen = nn.functional.normalize(features, dim=-1) if self.normalised else features
        return self.heads(seen), features


def export(vision: SiglipVisionModel, heads: Heads, out: Path, precision: Precision = "fp32") -> None:
    """Write the graph to `out`. Of fp16, CPUs have few operators: it is for GPUs."""
    dtype, _ = _DTYPES[precision]
    tower = ImageTower(vision, heads).eval().to(dtype)
    side = vision.config.image_size
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter that needs nothing but torch; its successor needs onnxscript, and gives the same graph.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(
            tower,
            (torch.zeros(2, 3, side, side, dtype=dtype),),
            str(out),
            dynamo=False,
            opset_version=OPSET,
            input_names=["pictures"],
            output_names=["logits", "features"],
            dynamic_axes={name: {0: "pictures"} for name in ("pictures", "logits", "features")},
        )
    tower.to(torch.float32)


def image_part(
    graph: Path,
    vision: SiglipVisionModel,
    heads: Sequence[str],
    seen: Mapping[str, Any],
    *,
    precision: Precision = "fp32",
    source: str = BASE,
    labels: Mapping[str, Any] | None = None,
    calibration: Mapping[str, Any] | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """The manifest's image part for the graph in a pack's folder; `seen` is what `image_input` gave.

    Heads are not assessed until `labels`, `calibration` and `thresholds` say what was measured.
    """
    content = graph.read_bytes()
    unmeasured = {"status": "not_assessed", "note": "not measured"}
    return {
        "graph": {"path": graph.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
        "input": dict(seen),
        "logits": {"name": "logits", "dtype": _DTYPES[precision][1]},
        "features": {"name": "features", "dtype": _DTYPES[precision][1]},
        "features_size": vision.config.hidden_size,
        "heads": list(heads),
        "calibration": dict(calibration or {}),
        "thresholds": dict(thresholds or {}),
        "labels": {label: (labels or {}).get(label, unmeasured) for label in heads},
        "precision": precision,
        "origin": {
            "name": source,
            "licence": "Apache-2.0",
            "url": f"https://huggingface.co/{source}",
            "citation": "Tschannen et al., SigLIP 2, arXiv:2502.14786",
        },
    }


def _require_fixed_size(source: str | Path) -> None:
    kind = AutoConfig.from_pretrained(source).model_type
    if kind not in ("siglip", "siglip_vision_model"):
        raise ValueError(f"{source}: a {kind} model; expected a SigLIP or SigLIP 2 of fixed size, as {BASE}")
