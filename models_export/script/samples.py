"""An endless stream of crops with their scripts: the same seed and index give the same crop, on any machine."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from models_export.script import fonts
from models_export.script.draw import Grey, ink, painted
from models_export.script.fonts import Families
from models_export.script.letters import SCRIPTS
from models_export.script.nothing import nothing
from models_export.script.spoil import spoiled
from models_export.script.texts import Phrases, line
from processors.ocr.script import COMMON, NO_WRITING, line_windows

HEIGHT = 32
SHARES = {"Latn": 6.0, "Cyrl": 5.0, NO_WRITING: 2.5, "Grek": 2.5, "Arab": 1.5, "Deva": 1.5, "Hang": 1.5, COMMON: 1.5}
"""How much more frequent than the other scripts these are: they are met, or mistaken for each other, most."""
CHUNK = 1536
"""Crops that are made at a time and put into batches by width."""
BATCH_COLUMNS = 32 * 192
"""Columns of a batch in all, so that batches of wide and of narrow crops cost the same."""
MILD = 0.35
"""Share of the lines to which little has happened."""
FIRST_MILD, MILD_FALL = 0.9, 100_000
"""Learning begins with more of them; so many lines later there are as many as anywhere."""
ENOUGH_LETTERS = 0.75
"""Of a line: a font that draws fewer of its characters is not for it."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What crops are made of."""

    phrases: dict[str, Phrases]
    families: dict[str, Families]
    photos: Sequence[Grey]

    def sample(
        self, seed: int, index: int, script: str | None = None, *, mild: float = MILD
    ) -> tuple[NDArray[np.uint8], str]:
        """(RGB crop, script); `script` as given, or by `SHARES`."""
        draw = random.Random(f"{seed}:{index}")
        chosen = script or draw.choices(SCRIPTS, [SHARES.get(name, 1.0) for name in SCRIPTS])[0]
        crop = spoiled(draw, self._nothing(draw) if chosen == NO_WRITING else self._line(draw, chosen), mild)
        grey = np.round(crop * 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), chosen

    def _line(self, draw: random.Random, script: str) -> Grey:
        while True:
            text = line(draw, script, self.phrases)
            font = fonts.choose(draw, self.families[script])
            drawn = fonts.drawable(font, text)
            if len(drawn) < ENOUGH_LETTERS * len(text) or len(drawn.strip()) < 1:
                continue
            mask = ink(draw, drawn, script, font)
            if mask is not None:
                return painted(draw, mask, self.photos)

    def _nothing(self, draw: random.Random) -> Grey:
        families = self.families[NO_WRITING]
        if not families or draw.random() < 0.85:
            return nothing(draw, self.photos)
        while True:
            font = fonts.choose(draw, families)
            text = "".join(chr(draw.choice(PICTOGRAPHS)) for _ in range(draw.randint(1, 6)))
            mask = ink(draw, fonts.drawable(font, text), NO_WRITING, font)
            if mask is not None:
                return painted(draw, mask, self.photos)


PICTOGRAPHS = [*range(0x2600, 0x2700), *range(0x1F300, 0x1F650), *range(0x1F680, 0x1F6C0), *range(0x1F900, 0x1F9A0)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of one width, with the scripts' places in `SCRIPTS`."""

    windows: Tensor
    """float32 [windows, 1, HEIGHT, width]."""
    scripts: Tensor
    """int64 [windows]."""


def window_of(seed: int, index: int, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """One of the windows that the runtime would look at."""
    return random.Random(f"{seed}:{index}:window").choice(line_windows(crop, HEIGHT))


class Batches(IterableDataset[Batch]):
    """Chunks of the stream as batches; loader workers take turns, so that the order does not depend on their speed."""

    def __init__(self, sources: Sources, seed: int) -> None:
        self._sources = sources
        self._seed = seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        chunk = first
        while True:
            yield from self._chunk(chunk)
            chunk += step

    def _chunk(self, chunk: int) -> Iterator[Batch]:
        mild = max(MILD, FIRST_MILD - (FIRST_MILD - MILD) * chunk * CHUNK / MILD_FALL)
        by_width: dict[int, list[tuple[NDArray[np.float32], int]]] = {}
        for index in range(chunk * CHUNK, (chunk + 1) * CHUNK):
            crop, script = self._sources.sample(self._seed, index, mild=mild)
            window = window_of(self._seed, index, crop)
            # Drawing a line costs more than learning from it: each is looked at twice, once with its light reversed.
            for look in (window, 1 - window):
                by_width.setdefault(window.shape[1], []).append((look, SCRIPTS.index(script)))
        batches: list[Batch] = []
        for width, members in by_width.items():
            random.Random(f"{chunk}:{width}").shuffle(members)
            size = max(8, BATCH_COLUMNS // width)
            for start in range(0, len(members), size):
                part = members[start : start + size]
                windows = torch.from_numpy(np.stack([window for window, _ in part])[:, None])
                batches.append(Batch(windows, torch.tensor([script for _, script in part])))
        random.Random(chunk).shuffle(batches)
        yield from batches
