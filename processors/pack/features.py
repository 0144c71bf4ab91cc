"""Quality features of a post: how much there was to read, in its text and in its pictures, and how well it went."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from schemas import FetchSection, OcrSection

TEXT_FEATURES = (
    "chars",
    "letters",
    "tokens",
    "windows",
    "unknown_share",
    "emoji_share",
    "uppercase_share",
    "disguised",
)
"""Of every post; of its own scored text fields together (never of the context, nor of what stands in pictures):

chars            code points, normalised
letters          letters and digits of any script
tokens           tokens of the pack's vocabulary, user names and addresses as one each
windows          rows of the encoder, of the text and of the pictures, both views together
unknown_share    0..1: share of the letters that the vocabulary has no token for
emoji_share      0..1: share of emoji and pictographs among visible code points
uppercase_share  0..1: share of capitals among letters that have case
disguised        1.0 where undoing look-alikes and the like changes letters or digits, else 0.0
"""

PICTURE_FEATURES = (
    "pictures",
    "ocr_lines",
    "ocr_unread_lines",
    "ocr_chars",
    "ocr_letters",
    "ocr_unknown_share",
    "ocr_confidence",
    "ocr_coverage",
)
"""Of posts whose pictures were fetched or read; of any other post they are 0:

pictures           stills and frames that were looked at
ocr_lines          lines read in them
ocr_unread_lines   lines found in them that could not be read
ocr_chars          code points of the lines, normalised
ocr_letters        letters and digits of the lines
ocr_unknown_share  0..1: share of those letters that the vocabulary has no token for
ocr_confidence     0..1: mean confidence of the reading, by characters; 0 where no line was read
ocr_coverage       0..1: largest share of a picture's area that its lines take
"""

FEATURES = (*TEXT_FEATURES, *PICTURE_FEATURES)
"""Names of all features, for the rules of policies."""

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
    return dict(zip(TEXT_FEATURES, map(float, values), strict=True))


def picture_features(
    fetch: FetchSection | None, ocr: OcrSection | None, text: str, unknown: Iterable[str]
) -> dict[str, float]:
    """The features of a post's pictures; `text` is the text view of their lines, `unknown` as in `text_features`."""
    read = ocr.pictures if ocr is not None else ()
    lines = [line for picture in read for line in picture.lines]
    weights = [max(1, len(line.text)) for line in lines]
    confidence = sum(line.confidence * weight for line, weight in zip(lines, weights, strict=True))
    letters = count_letters(text)
    values = (
        sum(len(media.pictures) for media in fetch.media) if fetch is not None else len(read),
        len(lines),
        sum(len(picture.unread) for picture in read),
        len(text),
        letters,
        _share(sum(map(count_letters, unknown)), letters),
        round(confidence / sum(weights), 3) if lines else 0.0,
        round(max((picture.coverage for picture in read), default=0.0), 3),
    )
    return dict(zip(PICTURE_FEATURES, map(float, values), strict=True))


def count_letters(text: str) -> int:
    """Letters and digits of any script."""
    return sum(map(str.isalnum, text))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0
