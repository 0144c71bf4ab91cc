"""The fusion graph of a pack: words and pictures of a post, judged together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from processors.contract import ProcessingError
from processors.encode.signature import compare, only
from processors.engines import Engine, EngineError, OnnxEngine
from processors.fuse.combine import Whole
from processors.fuse.gating import MODALITY_PARTS
from processors.fuse.scores import Part, is_of
from processors.pack.parts import WORD_PARTS
from processors.packs import MANIFEST_FILE, Pack, PackError
from processors.packs.calibration import probabilities
from processors.packs.fusion_part import FusionExpert
from schemas import Cause, EncodeSection, Record

GRAPH = "fusion"
"""What decisions call it."""

_PARTS: Mapping[str, Part] = {modality: part for part, modality in MODALITY_PARTS.items()}


class Fusion:
    """One post a run, on the CPU: some 50 microseconds. Safe to call from several threads."""

    def __init__(self, engine: Engine, expert: FusionExpert) -> None:
        self.engine = engine
        self._expert = expert
        self._parts: dict[Part, str] = {_PARTS[modality]: modality for modality in expert.tokens}
        self._columns = [expert.heads.index(label) for label in expert.measured]
        fitted = [expert.calibration[label] for label in expert.measured]
        self._bias = np.array([of.bias for of in fitted])
        self._temperature = np.array([of.temperature for of in fitted])

    @classmethod
    def of(cls, pack: Pack, expert: FusionExpert) -> Fusion:
        """Raises `EngineError` where the graph does not load, `PackError` where it is not what the manifest says."""
        engine = OnnxEngine(pack.folder / expert.graph.path)
        for field, reason in check_fusion_signature(engine, expert):
            raise PackError(pack.folder / MANIFEST_FILE, field, reason)
        return cls(engine, expert)

    def judge(self, record: Record, weights: Mapping[Part, float]) -> Whole | None:
        """None for a post without a picture that was looked at, or without words that it reads beside it.

        The words are judged beside each picture, and the highest counts: harmless pictures around it do not thin one
        out. `weights`: how far each part is trusted; a part without one is not shown. Raises `ProcessingError` for
        features of another size, as from another pack, and for output that is no number.
        """
        encode = record.encode
        shown: dict[Part, NDArray[np.float32]] = {}
        for part in self._parts:
            tokens = tokens_of(encode, part) if encode is not None else None
            if tokens is not None and weights.get(part, 0.0) > 0:
                shown[part] = tokens
        if "image" not in shown or len(shown) < 2:
            return None
        pictures = len(shown["image"])
        feeds: dict[str, NDArray[np.float32]] = {}
        for part, modality in self._parts.items():
            wanted = self._expert.tokens[modality]
            tokens = shown.get(part)
            if tokens is not None and tokens.shape[1] != wanted.size:
                reason = f"{modality}: {tokens.shape[1]} features; expected the {wanted.size} of this worker's pack"
                raise ProcessingError(Cause.INVALID_RECORD, reason, "encode")
            values = tokens if tokens is not None else np.zeros((1, wanted.size), np.float32)
            feeds[wanted.tensor.name] = np.tile(values, (pictures // len(values), 1)).astype(wanted.tensor.dtype)
        trusted = [[weights[part] if part in shown else 0.0 for part in self._parts]] * pictures
        feeds[self._expert.weights.name] = np.array(trusted, self._expert.weights.dtype)
        logits = self.engine.run(feeds)[self._expert.logits.name].astype(np.float64)
        if not np.isfinite(logits).all():
            raise ProcessingError(Cause.POISON, "the fusion's logits are not finite; expected numbers", "encode")
        highest = probabilities(logits.max(axis=0)[self._columns], self._bias, self._temperature)
        found: dict[str, float] = dict(zip(self._expert.measured, highest.tolist(), strict=True))
        return Whole(found, frozenset(part for part in shown if weights[part] == 1.0 and _is_shown_whole(record, part)))


def check_fusion(pack: Pack) -> Iterator[tuple[str | None, str]]:
    """(field of the manifest, or None for the graph itself; problem): every problem of the pack's fusion, if it has
    one."""
    expert = pack.manifest.fusion
    if expert is None:
        return
    try:
        engine = OnnxEngine(pack.folder / expert.graph.path)
    except EngineError as error:
        yield None, str(error)
        return
    yield from check_fusion_signature(engine, expert)


def check_fusion_signature(engine: Engine, expert: FusionExpert) -> Iterator[tuple[str, str]]:
    """(field of the manifest, problem) for everything in which the graph differs from it."""
    for modality, token in expert.tokens.items():
        yield from compare(f"fusion.tokens.{modality}", token.tensor, (None, token.size), engine.inputs)
    yield from compare("fusion.weights", expert.weights, (None, len(expert.tokens)), engine.inputs)
    names = {*(token.tensor.name for token in expert.tokens.values()), expert.weights.name}
    yield from only("fusion.tokens", names, engine.inputs)
    yield from compare("fusion.logits", expert.logits, (None, len(expert.heads)), engine.outputs)


def tokens_of(encode: EncodeSection, part: Part) -> NDArray[np.float32] | None:
    """What the experts have of a part, shape [pictures, size] or [1, size] of words; None where they have judged
    nothing of it."""
    if part == "image":
        seen = encode.image
        return seen.features if seen is not None and len(seen.features) else None
    token = next((encode.parts.get(words) for words in WORD_PARTS if words == part), None)
    return token[None] if token is not None else None


def _is_shown_whole(record: Record, part: Part) -> bool:
    """Of words that take several windows the fusion is shown one; every picture is shown."""
    windows = record.pack.windows if record.pack is not None else ()
    return all(sum(is_of(window, words) for window in windows) <= 1 for words in WORD_PARTS if words == part)
