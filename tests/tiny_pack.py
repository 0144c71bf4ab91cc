"""A tiny model pack for tests: a real ONNX graph with seeded weights and a real tokenizer, small enough to read.

A token's state is a seeded random vector; a row's pooled vector is the masked maximum over its tokens. The words of
`BAD_WORDS` have states that push the logits of `abuse` and `hate` far up, all other words keep them far down, so a test
knows what a text must score. `leaky=True` quantises the pooled vectors dynamically, over all rows at once, as dynamic
int8 does: then neighbours really move a row's scores.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from processors.text.model_view import URL_MARK, USER_MARK

SPACE = "\u2581"
BAD_WORDS = ("scum", "vermin")
WORDS = ("you", "are", "all", "the", "cat", "sat", "on", "mat", "hello", "world", "good", "day", "und", "der", "hund")
HEADS = ("abuse", "hate", "profanity")
MEASURED = ("abuse", "hate")
DETAILS = {
    "target.race": 4.0,
    "target.sex": -4.0,
    "target.other": 4.0,
    "attack.contempt": 3.0,
    "attack.slurs": -3.0,
    "implicit": 4.0,
    "severity.2": -4.0,
    "severity.3": 4.0,
}
"""Heads that are no labels, of a pack that has them -> how far a bad word pushes the logit up, and others down."""
UNMEASURED_DETAIL = "target.other"
MARKERS = ("ocr", "asr", "title", "text", "parent")
LANGUAGES = ("und", "en", "de")
WIDTH = 8
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")

_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?;:'\"-_/()@#&$*+%äöüéß😀🎉"


def vocabulary() -> list[tuple[str, float]]:
    """(piece, log probability): a token's id is its place."""
    pieces = [(f" {name} ", 0.0) for name in SPECIALS]
    pieces += [(letter, -10.0) for letter in (SPACE, *_ALPHABET)]
    pieces += [(SPACE + word, -4.0) for word in (*WORDS, *BAD_WORDS)]
    pieces += [(word, -5.0) for word in BAD_WORDS]
    pieces += [(SPACE + mark, -3.0) for mark in (USER_MARK, URL_MARK)]
    pieces += [(f" <{name}> ", 0.0) for name in MARKERS]
    pieces += [(f" <lang={name}> ", 0.0) for name in LANGUAGES]
    return pieces


def token_ids(names: Sequence[str], form: str) -> dict[str, int]:
    """Name -> id of its piece; `form` says what the piece of a name is called."""
    places = {piece: at for at, (piece, _) in enumerate(vocabulary())}
    return {name: places[form.format(name)] for name in names}


def write_tokenizer(path: Path) -> None:
    tokenizer: Any = Tokenizer(models.Unigram(vocabulary(), unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always", split=True)
    tokenizer.save(str(path))


def write_graph(path: Path, *, leaky: bool = False, dtype: int = TensorProto.INT64, heads: int = len(HEADS)) -> None:
    """ids, mask [rows, tokens] -> logits [rows, heads], pooled [rows, WIDTH]; the heads are `HEADS`, then `DETAILS`."""
    pieces = [piece for piece, _ in vocabulary()]
    random = np.random.default_rng(5)
    table = random.uniform(-0.5, 0.5, (len(pieces), WIDTH)).astype(np.float32)
    table[:, 0] = -1.0
    for at, piece in enumerate(pieces):
        if piece.removeprefix(SPACE) in BAD_WORDS:
            table[at, 0] = 1.0
    weights = random.uniform(-0.3, 0.3, (WIDTH, heads)).astype(np.float32)
    weights[0] = [5.0, 4.0, 3.0, *DETAILS.values()][:heads]
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["states"]),
        helper.make_node("Cast", ["mask"], ["shown"], to=TensorProto.BOOL),
        helper.make_node("Unsqueeze", ["shown", "last"], ["shown3"]),
        helper.make_node("Where", ["shown3", "states", "low"], ["visible"]),
        helper.make_node("ReduceMax", ["visible", "tokens_axis"], ["max"], keepdims=0),
        *(
            [
                helper.make_node("DynamicQuantizeLinear", ["max"], ["q", "scale", "zero"]),
                helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["pooled"]),
            ]
            if leaky
            else [helper.make_node("Identity", ["max"], ["pooled"])]
        ),
        helper.make_node("MatMul", ["pooled", "weights"], ["logits"]),
    ]
    constants = {
        "table": table,
        "weights": weights,
        "last": np.array([2], np.int64),
        "tokens_axis": np.array([1], np.int64),
        "low": np.array(-1e4, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, dtype, ["rows", "tokens"]) for name in ("ids", "mask")],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", heads]),
            helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["rows", WIDTH]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def described(path: Path) -> dict[str, Any]:
    """A file as the manifest lists it."""
    content = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def tiny_manifest(
    folder: Path, *, isolation: str = "batch", layout: Mapping[str, Any] | None = None, details: bool = False
) -> dict[str, Any]:
    """A manifest for the files in `folder`; `details`: whether its graph has the heads of `DETAILS` too."""
    names = [name for name in DETAILS if details]
    measured = [name for name in names if name != UNMEASURED_DETAIL]
    return {
        "schema": "pack/1",
        "name": "tiny",
        "version": "1",
        "created": "2026-11-22T10:00:00Z",
        "licence": "Apache-2.0",
        "backbone": {"name": "seeded random vectors", "licence": "Apache-2.0"},
        "text": {
            "graph": described(folder / "text.onnx"),
            "tokenizer": described(folder / "tokenizer.json"),
            "layout": {
                "window_tokens": 24,
                "overlap_tokens": 4,
                "context_tokens": 4,
                "max_windows": 6,
                "markers": token_ids(MARKERS, " <{}> "),
                "languages": token_ids(LANGUAGES, " <lang={}> "),
                **(layout or {}),
            },
            "inputs": {"ids": {"name": "ids", "dtype": "int64"}, "mask": {"name": "mask", "dtype": "int64"}},
            "outputs": {
                "logits": {"name": "logits", "dtype": "float32"},
                "embedding": {"name": "pooled", "dtype": "float32"},
            },
            "heads": [*HEADS, *names],
            "embedding_size": WIDTH,
            "isolation": isolation,
        },
        "calibration": {
            "abuse": {"temperature": 1.25},
            "hate": {"temperature": 1.0, "bias": -0.5},
            **{name: {"temperature": 1.0} for name in measured},
        },
        "thresholds": {"abuse": 0.5, "hate": 0.4, **dict.fromkeys(measured, 0.6)},
        "labels": {
            "abuse": {"status": "measured", "training_rows": {"positives": 400, "negatives": 900}},
            "hate": {"status": "measured", "training_rows": {"positives": 350, "negatives": 900}},
            "profanity": {"status": "not_assessed", "note": "too few rows"},
            **{name: {"status": "measured" if name in measured else "not_assessed"} for name in names},
        },
        "languages": {"en": {"status": "measured"}, "de": {"status": "zero_shot"}, "xx": {"status": "unsupported"}},
        "training": {"datasets": [{"name": "none", "licence": "CC0-1.0", "rows": 0}], "seed": 5},
    }


def write_tiny_pack(
    folder: Path,
    *,
    isolation: str = "batch",
    leaky: bool = False,
    layout: Mapping[str, Any] | None = None,
    details: bool = False,
) -> Path:
    """A whole pack in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    write_graph(folder / "text.onnx", leaky=leaky, heads=len(HEADS) + (len(DETAILS) if details else 0))
    write_tokenizer(folder / "tokenizer.json")
    write_manifest(folder, tiny_manifest(folder, isolation=isolation, layout=layout, details=details))
    return folder


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
