"""Quality features of a post: how much there was to read and to hear, and how well it went."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from schemas import AsrSection, AsrSegment, FetchSection, OcrSection

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
"""Of every post; of its own scored text fields together (never of the context, of what stands in pictures or is said):

chars            code points, normalised
letters          letters and digits of any script
tokens           tokens of the pack's vocabulary, user names and addresses as one each
windows          rows of the encoder, of text, pictures and sound, both views together
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
ocr_lines          lines read in them; one that several frames show counts once
ocr_unread_lines   lines found in them that could not be read
ocr_chars          code points of the lines, normalised
ocr_letters        letters and digits of the lines
ocr_unknown_share  0..1: share of those letters that the vocabulary has no token for
ocr_confidence     0..1: mean confidence of the reading, by characters; 0 where no line was read
ocr_coverage       0..1: largest share of a picture's area that its lines take
"""

SPEECH_FEATURES = (
    "asr_segments",
    "asr_seconds",
    "asr_chars",
    "asr_letters",
    "asr_unknown_share",
    "asr_confidence",
    "asr_unsafe_ratio",
)
"""Of posts whose sound was listened to; of any other post they are 0. Of the segments to be trusted, but for the last:

asr_segments       stretches of speech
asr_seconds        seconds of speech, as voice activity detection has it; of all that was heard
asr_chars          code points of the segments, normalised
asr_letters        letters and digits of the segments
asr_unknown_share  0..1: share of those letters that the vocabulary has no token for
asr_confidence     0..1: mean confidence of the hearing, by seconds; 0 where nothing was said
asr_unsafe_ratio   0..1: share of the seconds of all segments that those not to be trusted take
"""

MEDIA_FEATURES = (*PICTURE_FEATURES, *SPEECH_FEATURES)
"""What a post without such media has as 0."""

FEATURES = (*TEXT_FEATURES, *MEDIA_FEATURES)
"""Names of all features, for the rules of policies."""

SHORTEST_S = 0.01
"""A segment counts for at least so many seconds: none has no say, even if its times are rounded to nothing."""

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
        _share(confidence, sum(weights)),
        round(max((picture.coverage for picture in read), default=0.0), 3),
    )
    return dict(zip(PICTURE_FEATURES, map(float, values), strict=True))


def speech_features(asr: AsrSection, text: str, unknown: Iterable[str]) -> dict[str, float]:
    """The features of a post's sound; `text` is the text view of its segments, `unknown` as in `text_features`."""
    segments = [segment for _, segment in asr.segments]
    spoken = sum(map(_seconds, segments))
    unsafe = sum(_seconds(segment) for sound in asr.sounds for segment in sound.unsafe)
    confidence = sum(segment.confidence * _seconds(segment) for segment in segments)
    letters = count_letters(text)
    values = (
        len(segments),
        round(sum(sound.speech_seconds for sound in asr.sounds), 3),
        len(text),
        letters,
        _share(sum(map(count_letters, unknown)), letters),
        _share(confidence, spoken),
        _share(unsafe, spoken + unsafe),
    )
    return dict(zip(SPEECH_FEATURES, map(float, values), strict=True))


def count_letters(text: str) -> int:
    """Letters and digits of any script."""
    return sum(map(str.isalnum, text))


def _seconds(segment: AsrSegment) -> float:
    return max(SHORTEST_S, segment.t_end - segment.t_start)


def _share(part: float, whole: float) -> float:
    return round(part / whole, 3) if whole else 0.0
