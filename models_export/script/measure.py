"""Calibration, operating point and figures, on fonts and texts that training has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models_export.script.letters import READABLE, SCRIPTS, WRITTEN
from models_export.script.network import ScriptNetwork
from models_export.script.samples import Sources, window_of
from processors.ocr.script import ScriptIdentifier

FALSE_ALARMS = 0.035
"""Drawn lines in a script that is read, or in none, of which at most this share may be refused. They are harder than
what people draw: at this point 1.5% of 1,436 lines that the detector was sure of in English memes were refused."""
LEAST_THRESHOLD = 0.5
"""Below it, a line is more probably readable than not."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """So many crops of every script."""

    sources: Sources
    seed: int
    of_each: int

    def crops(self) -> Iterable[tuple[int, NDArray[np.uint8], str]]:
        """(index, RGB crop, script)."""
        for place, script in enumerate(SCRIPTS):
            for index in range(place * self.of_each, (place + 1) * self.of_each):
                yield index, *self.sources.sample(self.seed, index, script)


def logits(network: ScriptNetwork, held_out: HeldOut) -> tuple[Tensor, Tensor]:
    """(logits of a window of each crop, places of the scripts in `SCRIPTS`)."""
    rows: list[Tensor] = []
    wanted: list[int] = []
    with torch.inference_mode():
        for index, crop, script in held_out.crops():
            window = window_of(held_out.seed, index, crop)
            rows.append(network(torch.from_numpy(window)[None, None])[0])
            wanted.append(SCRIPTS.index(script))
    return torch.stack(rows), torch.tensor(wanted)


def temperature(scores: Tensor, wanted: Tensor) -> float:
    """What divides the logits so that probabilities are as often right as they say (least cross-entropy)."""
    candidates = np.exp(np.linspace(np.log(0.4), np.log(3), 200))
    losses = [float(nn.functional.cross_entropy(scores / float(value), wanted)) for value in candidates]
    return float(candidates[int(np.argmin(losses))])


def operating_point(calibrated: Tensor, wanted: Tensor) -> float:
    """The least probability of scripts that are not read, all together, at which a line is refused."""
    unread = torch.tensor([script in WRITTEN and script not in READABLE for script in SCRIPTS])
    mass = torch.softmax(calibrated.double(), 1)[:, unread].sum(1)
    readable = mass[~unread[wanted]].numpy()
    return round(float(max(LEAST_THRESHOLD, np.quantile(readable, 1 - FALSE_ALARMS))), 3)


def figures(identifier: ScriptIdentifier, held_out: HeldOut) -> dict[str, Any]:
    """For each script: how often it was found, refused, and what it was taken for most."""
    found: dict[str, Counter[str]] = {script: Counter() for script in SCRIPTS}
    readable = {*READABLE, *SCRIPTS} - (set(WRITTEN) - set(READABLE))
    for _, crop, script in held_out.crops():
        ((answer, _),) = identifier.identify([crop])
        found[script][answer] += 1
    result: dict[str, Any] = {}
    for script, answers in found.items():
        total = answers.total()
        wrong = [(answer, count) for answer, count in answers.most_common(4) if answer != script]
        refused = sum(count for answer, count in answers.items() if answer not in readable)
        result[script] = {
            "lines": total,
            "found": round(answers[script] / total, 4),
            "refused": round(refused / total, 4),
            "taken_for": {answer: round(count / total, 4) for answer, count in wrong},
        }
    return result
