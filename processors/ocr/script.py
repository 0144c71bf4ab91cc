"""In which script a line is written, asked before its reading is believed.

A recogniser answers with letters that it knows, whatever it sees: Cyrillic comes out as Latin look-alikes, with fair
confidence. A small network that knows the scripts, and no letters, tells such lines apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.cores import usable_cores
from processors.engines import Device, Engine, OnnxEngine
from processors.packs import MANIFEST_FILE, Pack, PackError
from processors.packs.ocr_part import ScriptExpert

COMMON = "Zyyy"
"""ISO 15924: digits and punctuation, which belong to no script and are read by every recogniser."""

NO_WRITING = "Zxxx"
"""ISO 15924: nothing that is writing, such as texture, edges, ornaments and emoji."""

WIDTH_STEP = 32
"""Windows are padded to multiples of this: few shapes, and each depends on its own crop alone."""

MAX_WIDTH = 512
"""Columns of a window, some thirty letters. A wider line is looked at in parts, so that it cannot hide a few words of
another script among many."""

MAX_WINDOWS = 16
"""Of a line; one that is wider still is squeezed. Forty times as wide as the longest line that people read."""

RUN_WINDOWS = 64
"""Windows of one run: some 20 MB of activations."""


def line_windows(crop: NDArray[np.uint8], height: int) -> list[NDArray[np.float32]]:
    """What the network sees of a line: windows of equal width from left to right, each of shape [height, width].

    `crop`: RGB, [rows, columns, 3], at least one pixel. Grey, 0..1, at the crop's own aspect; widths are multiples of
    `WIDTH_STEP`, filled up at the right with the window's mean.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    rows, columns = grey.shape
    width = min(max(1, round(columns * height / rows)), MAX_WINDOWS * MAX_WIDTH)
    shrinks = rows > height or columns > width
    scaled = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    light = np.asarray(scaled, np.float32) / np.float32(255)
    return [_padded(window) for window in np.array_split(light, -(-width // MAX_WIDTH), axis=1)]


def _padded(window: NDArray[np.float32]) -> NDArray[np.float32]:
    missing = -window.shape[1] % WIDTH_STEP
    return np.pad(window, ((0, 0), (0, missing)), constant_values=float(window.mean()))


class ScriptIdentifier:
    """The pack's script expert on an engine. May be called from several threads at once."""

    def __init__(self, engine: Engine, expert: ScriptExpert, reads: Iterable[str]) -> None:
        """`reads`: scripts (ISO 15924) that the recogniser reads; `COMMON` and `NO_WRITING` need not be named."""
        self._engine = engine
        self._expert = expert
        readable = {*reads, COMMON, NO_WRITING}
        self._unread = np.array([script not in readable for script in expert.scripts])

    @classmethod
    def of(
        cls,
        pack: Pack,
        *,
        reads: Iterable[str] | None = None,
        device: Device = "cpu",
        threads: int | None = None,
        provider_options: Mapping[str, Mapping[str, str]] | None = None,
    ) -> ScriptIdentifier | None:
        """None where the pack has no script expert.

        `reads`: what the recogniser reads, by default what the pack says of its own. Raises `EngineError` where the
        graph does not load or run on the device, and `PackError` where it is not what the manifest says.
        """
        part = pack.manifest.ocr
        if part is None or part.script is None:
            return None
        expert = part.script
        engine = OnnxEngine(
            pack.folder / expert.graph.path,
            device=device,
            threads=threads or usable_cores(),
            provider_options=provider_options,
        )
        _check(pack, engine, expert)
        return cls(engine, expert, part.reads if reads is None else reads)

    def identify(self, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        """(script as ISO 15924, calibrated probability) of each crop: RGB, [rows, columns, 3], one line of writing.

        The answer is a script that the recogniser does not read only where the pack's threshold is reached by such
        scripts together; the probability is then theirs together. Anything else can be believed to be readable,
        `COMMON` (only digits and punctuation), or `NO_WRITING`. The same crop gets the same answer in any batch.
        """
        windows = [line_windows(crop, self._expert.height) for crop in crops]
        scores = self._probabilities([window for line in windows for window in line])
        ends = np.cumsum([len(line) for line in windows])
        return [self._answer(scores[end - len(line) : end]) for line, end in zip(windows, ends, strict=True)]

    def _answer(self, windows: NDArray[np.float64]) -> tuple[str, float]:
        """`windows`: [windows, scripts], probabilities of one line. It is as little readable as any part of it."""
        unread = windows[:, self._unread].sum(1)
        worst = int(unread.argmax())
        refused = bool(unread[worst] >= self._expert.threshold)
        row = windows[worst] if refused else windows.mean(0)
        best = int(np.where(self._unread == refused, row, -1.0).argmax())
        return self._expert.scripts[best], float(unread[worst] if refused else row[best])

    def _probabilities(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """[windows, scripts]; windows of one width go through the graph together."""
        widths: dict[int, list[int]] = {}
        for index, window in enumerate(windows):
            widths.setdefault(window.shape[1], []).append(index)
        result = np.empty((len(windows), len(self._expert.scripts)))
        for members in widths.values():
            for start in range(0, len(members), RUN_WINDOWS):
                chosen = members[start : start + RUN_WINDOWS]
                feed = np.stack([windows[index] for index in chosen])[:, None]
                logits = self._engine.run({self._expert.input.name: feed})[self._expert.output.name]
                result[chosen] = _softmax(logits)
        return result


def _softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _check(pack: Pack, engine: Engine, expert: ScriptExpert) -> None:
    """Raises `PackError` where the graph is not what the manifest says."""
    wanted = (
        ("input", expert.input, engine.inputs, (None, 1, expert.height, None)),
        ("output", expert.output, engine.outputs, (None, len(expert.scripts))),
    )
    for field, tensor, specs, shape in wanted:
        found = [(spec.name, spec.dtype, spec.shape) for spec in specs]
        if found != [(tensor.name, tensor.dtype, shape)]:
            reason = f"the graph has {found}; expected only {tensor.name!r}, {tensor.dtype}, of shape {list(shape)}"
            raise PackError(pack.folder / MANIFEST_FILE, f"ocr.script.{field}", reason)
