"""The encoder that training starts from: a local folder, or a name on a model hub."""

from __future__ import annotations

import json
from pathlib import Path

FILES = ("config.json", "tokenizer.json", "model.safetensors")
KIND = "bert"


def find_backbone(name: str) -> Path:
    """The folder of a backbone; one that is no local folder is fetched from the hub.

    Raises FileNotFoundError where there is none, or ValueError where it is not an encoder of the supported kind.
    """
    folder = Path(name)
    if not folder.is_dir():
        folder = _fetch(name)
    for file in FILES:
        if not (folder / file).is_file():
            raise FileNotFoundError(f"{folder / file}: no such file; expected a backbone with {', '.join(FILES)}")
    kind = json.loads((folder / "config.json").read_text()).get("model_type")
    if kind != KIND:
        raise ValueError(f"{folder / 'config.json'}: model_type is {kind!r}, expected {KIND!r} (multilingual-e5-small)")
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
