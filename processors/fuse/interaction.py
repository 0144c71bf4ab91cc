"""Whether the parts of a post mean together what none of them means alone.

`interaction.emergent`      every part alone is under the threshold of a label, and the whole is over it
`interaction.neutralised`   a part alone is over the threshold of a label, and the whole is not, of which it is part

The whole is what the fusion says of words and pictures together, and for labels that it does not judge the reading of
all words together: own text, lines and speech in the same windows. Where there is neither, or only one part, nothing
interacts. A part over the threshold that the whole has not seen is neutralised by nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from processors.fuse.combine import Whole
from processors.fuse.gating import MODALITY_PARTS
from processors.fuse.scores import Part, Probabilities
from processors.pack.parts import WORD_PARTS
from processors.policy import INTERACTION_EMERGENT, INTERACTION_NEUTRALISED

MIN_DIFFERENCE = 0.2
"""Between the whole and the highest part: what lies closer on two sides of a threshold is mostly the same thing said
with other words around it. With 0.1 a harmless line beside a hateful one counts as `neutralised` twice as often."""


def interactions(
    parts: Mapping[Part, Probabilities], whole: Whole | None, thresholds: Mapping[str, float]
) -> tuple[str, ...]:
    """The flags that some label raises, each once. `whole`: what the fusion says; None where it says nothing."""
    alone: dict[Part, Probabilities] = {part: parts[part] for part in MODALITY_PARTS if part in parts}
    if len(alone) < 2:
        return ()
    fused: Probabilities = whole.probabilities if whole is not None else {}
    together: Probabilities = parts.get("together", {})
    read = {label: said for label, said in together.items() if label not in fused}
    found = {*_raised(alone, read, [*WORD_PARTS], thresholds)}
    if whole is not None:
        found |= {*_raised(alone, fused, whole.parts, thresholds)}
    return tuple(flag for flag in (INTERACTION_EMERGENT, INTERACTION_NEUTRALISED) if flag in found)


def _raised(
    alone: Mapping[Part, Probabilities],
    together: Probabilities,
    covered: Collection[Part],
    thresholds: Mapping[str, float],
) -> Iterator[str]:
    """`covered`: the parts for which `together` can speak."""
    for label, probability in together.items():
        threshold = thresholds.get(label)
        said = {part: found[label] for part, found in alone.items() if label in found}
        if threshold is None or not said or abs(probability - max(said.values())) < MIN_DIFFERENCE:
            continue
        over = [part for part, found in said.items() if found > threshold]
        if probability > threshold and not over:
            yield INTERACTION_EMERGENT
        if probability <= threshold and over and all(part in covered for part in over):
            yield INTERACTION_NEUTRALISED
