"""Whether the parts of a post mean together what none of them means alone.

`interaction.emergent`      every part alone is under the threshold of a label, and the whole is over it
`interaction.neutralised`   a part alone is over the threshold of a label, and the whole is not

The whole is what the fusion says of words and pictures together, and without it the reading of all words together:
own text, lines and speech in the same windows. Where there is neither, or only one part, nothing interacts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from processors.fuse.gating import MODALITY_PARTS
from processors.fuse.scores import Part, Probabilities
from processors.policy import INTERACTION_EMERGENT, INTERACTION_NEUTRALISED

MIN_DIFFERENCE = 0.2
"""Between the whole and the highest part: what lies closer on two sides of a threshold is mostly the same thing said
with other words around it. With 0.1 a harmless line beside a hateful one counts as `neutralised` twice as often."""


def interactions(
    parts: Mapping[Part, Probabilities], whole: Probabilities | None, thresholds: Mapping[str, float]
) -> tuple[str, ...]:
    """The flags that some label raises, each once. `whole`: what the fusion says; None where it says nothing."""
    together = parts.get("together", {}) if whole is None else whole
    alone = [parts[part] for part in MODALITY_PARTS if part in parts]
    if len(alone) < 2:
        return ()
    found = set(_raised(alone, together, thresholds))
    return tuple(flag for flag in (INTERACTION_EMERGENT, INTERACTION_NEUTRALISED) if flag in found)


def _raised(alone: list[Probabilities], together: Probabilities, thresholds: Mapping[str, float]) -> Iterator[str]:
    for label, probability in together.items():
        threshold = thresholds.get(label)
        said = [part[label] for part in alone if label in part]
        if threshold is None or not said or abs(probability - max(said)) < MIN_DIFFERENCE:
            continue
        if probability > threshold >= max(said):
            yield INTERACTION_EMERGENT
        if max(said) > threshold >= probability:
            yield INTERACTION_NEUTRALISED
