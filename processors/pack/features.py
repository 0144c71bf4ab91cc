"""Quality features of a post's text: how much there was to read, and how well it could be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

FEATURES = (
    "chars",
    "letters",
    "tokens",
    "windows",
    "unknown_share",
    "emoji_share",
    "uppercase_share",
    "disguised",
)
"""Names of the features, all of the scored text fields together (never of the context):

chars            code points, normalised
letters          letters and digits of any script
tokens           tokens of the pack's vocabulary, user names and addresses as one each
windows          rows of the encoder, both views together
unknown_share    0..1: share of the letters that the vocabulary has no token for
emoji_share      0..1: share of emoji and pictographs among visible code points
uppercase_share  0..1: share of capitals among letters that have case
disguised        1.0 where undoing look-alikes and the like changes letters or digits, else 0.0
"""

# Arrows to dingbats hold the older emoji, the upper plane the others.
_EMOJI = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001fbff]")
_SPACE = re.compile(r"\s")


def text_features(
    texts: Sequence[str], *, unknown: Iterable[str], tokens: int, windows: int, disguised: bool
) -> dict[str, float]:
    """The features of `texts`; `unknown` are the stretches of them that no token stands for."""
    text = "".join(texts)
    letters = count_letters(text)
    lost = sum(map(count_letters, unknown))
    upper = sum(map(str.isupper, text))
    cased = upper + sum(map(str.islower, text))
    visible = len(text) - len(_SPACE.findall(text))
    values = (
        len(text),
        letters,
        tokens,
        windows,
        _share(lost, letters),
        _share(len(_EMOJI.findall(text)), visible),
        _share(upper, cased),
        disguised,
    )
    return dict(zip(FEATURES, map(float, values), strict=True))


def count_letters(text: str) -> int:
    """Letters and digits of any script."""
    return sum(map(str.isalnum, text))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0
