"""What each stage adds to a record."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from schemas.decision import Modality, Probability
from schemas.offsets import OffsetMap

FieldName = Literal["text", "title", "parent", "ocr", "asr"]
"""A text of a post: its own fields, what it answers to, what is written in its pictures, line by line, and what is said
in its sound, segment by segment."""

MediaKind = Literal["image", "video", "audio"]

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class FieldView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One text field as the model and the rules see it."""

    original_length: int
    """Code points of the field as it was posted."""
    text: str
    """Normalised to NFC."""
    text_map: OffsetMap
    """From `text` to the field as it was posted."""
    folded: str | None = None
    """The second view (NFKC, disguises undone), where it differs in letters or digits."""
    folded_map: OffsetMap | None = None
    """From `folded` to the field as it was posted."""


class IngestSection(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest found."""

    lang: str
    lang_confidence: float
    fields: dict[FieldName, FieldView]


class KnownContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A media item, or one of its pictures, is on a list of known content."""

    list: str
    """The list's name."""
    by: Literal["md5", "sha256", "pdq"]
    distance: int = 0
    """Bits in which the PDQ hashes differ, 0..256; 0 for the exact hashes."""


class Picture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One still to look at: a picture, a part of a long one, or a frame of one that moves.

    Its pixels are an object of ours in the media store, decoded once where that is safe: 8-bit RGB, upright; PNG, or
    JPEG of quality 95 without chroma subsampling for what came lossy.
    """

    object: Sha256
    """Address in the media store."""
    width: int
    height: int
    """Of the object, in pixels."""
    scale: float = 1.0
    """Pixels of the upright original per pixel of the object, at least 1."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Where the object's top left corner is, (x, y) in pixels of the upright original: `point * scale + origin` is a
    point in the original. 0, 0 but for the parts of a long picture, which overlap."""
    t: float | None = None
    """A frame's time in seconds from the start; None for a still."""
    pdq: str | None = None
    """PDQ perceptual hash, 64 hex digits; of a long picture in parts, the first has the whole picture's."""
    pdq_quality: int = 0
    """0..100; below 50 the hash says little (PDQ's own advice); 0 where there is none."""


class Sound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What there is to hear of a media item.

    An object of ours in the media store, decoded once where that is safe: WAV, 16 kHz, mono, 16-bit PCM.
    """

    object: Sha256
    """Address in the media store."""
    seconds: float
    """How long it is."""
    t: float = 0.0
    """Where its first sample is, in seconds from the start of the item: sound may begin after the picture."""


class FetchedMedia(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One media item that was fetched, as its bytes are; what the producer called it does not count."""

    media_id: str
    kind: MediaKind
    type: str
    """Media type by magic bytes, as `image/jpeg`."""
    sha256: Sha256
    """Of the bytes as fetched, and their address in the media store."""
    md5: str
    bytes: int
    width: int | None = None
    height: int | None = None
    """Of the upright original, in pixels."""
    seconds: float | None = None
    """How long it is, as probed; None for pictures."""
    pictures: tuple[Picture, ...] = ()
    sound: Sound | None = None
    known: tuple[KnownContent, ...] = ()


class FetchSection(msgspec.Struct, frozen=True, kw_only=True):
    """What fetch got, undecodable items without pictures included: a list of known content may know them. Of items that
    could not be fetched only the modalities' reasons tell."""

    media: tuple[FetchedMedia, ...]


class OcrLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of text in a picture."""

    text: str
    """As read; empty for a line that was found and cannot be read."""
    polygon: tuple[tuple[float, float], ...]
    """Its four corners, clockwise from where its reading starts, in pixels of the upright original."""
    bbox: tuple[float, float, float, float]
    """[x, y, width, height] of the upright rectangle around it, in pixels of the upright original."""
    confidence: Probability
    """Of the reading; for an unread line, of the detection."""
    script: str | None = None
    """ISO 15924 code, as `Latn`; None where there was too little to tell."""
    t_end: float | None = None
    """Time of the last frame that shows it, in seconds; of a line in a moving picture only. It stands once, in the
    first frame that shows it."""


class OcrPicture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was read in one picture."""

    media_id: str
    object: Sha256
    """The picture: `Picture.object`."""
    t: float | None = None
    lines: tuple[OcrLine, ...] = ()
    """Lines read, in reading order."""
    unread: tuple[OcrLine, ...] = ()
    """Lines found that cannot be read (their `text` is empty)."""
    confidence: Probability | None = None
    """Mean of the lines' confidence, by their number of characters; None without lines."""
    coverage: Probability = 0.0
    """Share of the picture's area that all lines found take."""


class OcrSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is written in the post's pictures."""

    pictures: tuple[OcrPicture, ...]
    lang: str | None = None
    """Language of all lines together; None where there was too little to tell."""
    lang_confidence: float = 0.0
    engine: str | None = None
    """The execution provider that read them."""

    @property
    def lines(self) -> tuple[tuple[OcrPicture, OcrLine], ...]:
        """All lines read, in reading order."""
        return tuple((picture, line) for picture in self.pictures for line in picture.lines)


class AsrWord(msgspec.Struct, frozen=True, array_like=True):
    """A word as heard."""

    text: str
    t_start: float
    t_end: float
    """In seconds from the start of the media item."""
    confidence: Probability


class AsrSegment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of speech without a longer pause."""

    text: str
    t_start: float
    t_end: float
    """In seconds from the start of the media item."""
    confidence: Probability
    """exp of the mean log-probability of its tokens."""
    no_speech: Probability = 0.0
    """That there is no speech in its window, as the model has it."""
    words: tuple[AsrWord, ...] = ()
    unsafe: str | None = None
    """Why it is not to be trusted: `phantom`, `repetition`, `low_confidence`."""


class AsrSound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was heard in one sound."""

    media_id: str
    object: Sha256
    """The sound: `Sound.object`."""
    speech_seconds: float = 0.0
    """Of speech, as voice activity detection has it."""
    segments: tuple[AsrSegment, ...] = ()
    """What was said, in the order of time."""
    unsafe: tuple[AsrSegment, ...] = ()
    """What was heard and is not to be trusted, in the order of time: it is not scored."""
    confidence: Probability | None = None
    """Mean of the segments' confidence, by their seconds; None without segments."""
    unsafe_ratio: Probability = 0.0
    """Share of the seconds of all segments that the unsafe ones take."""
    lang: str | None = None
    """As the model has it; None without speech."""
    lang_confidence: Probability = 0.0


class AsrSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is said in the post's sounds."""

    sounds: tuple[AsrSound, ...]
    lang: str | None = None
    """Language of the sound with most speech; None without speech. All sounds of a post are heard in it."""
    lang_confidence: float = 0.0
    engine: str | None = None
    """The device and type of numbers that they were heard with, as `cpu int8`."""

    @property
    def segments(self) -> tuple[tuple[AsrSound, AsrSegment], ...]:
        """All segments to be trusted, in the order of media items and time."""
        return tuple((sound, segment) for sound in self.sounds for segment in sound.segments)


class FieldSpan(msgspec.Struct, frozen=True, array_like=True):
    """[start, end) in code points of a field as it was posted."""

    field: FieldName
    start: int
    end: int


Reads = Literal["all", "text", "ocr", "asr", "line", "segment"]
"""What a window is cut from: all scored fields of the post together; its own text and title alone; the lines of its
pictures alone; what is said in its sound alone; one of those lines; one of those segments. Where only one part of the
post has anything to say its windows are `all`, and not repeated.
"""


class Window(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One input row of the text encoder."""

    ids: NDArray[np.int32]
    """Token ids, shape [tokens], not padded."""
    view: Literal["text", "folded"]
    spans: tuple[FieldSpan, ...]
    """What the window holds of each field."""
    reads: Reads = "all"
    line: int | None = None
    """The place of the window's line in `OcrSection.lines`, where it reads one."""
    segment: int | None = None
    """The place of the window's segment in `AsrSection.segments`, where it reads one."""
    places: NDArray[np.int32] | None = None
    """Shape [tokens, 2]: what each token stands for, [start, end) in code points of its field as it was posted; -1, -1
    for tokens that stand for no text. The fields' tokens follow each other as `spans` do, each field's behind such a
    token. None in a window that shows nothing of the post's own text, and in any after encode, which alone needs it."""

    def __post_init__(self) -> None:
        _check_array("ids", self.ids, np.dtype(np.int32), 1)
        if self.places is not None:
            _check_array("places", self.places, np.dtype(np.int32), 2)
            if self.places.shape != (len(self.ids), 2):
                raise ValueError("places must be one pair for each of ids")


class PackSection(msgspec.Struct, frozen=True, kw_only=True):
    """The model's input."""

    windows: tuple[Window, ...]
    features: dict[str, float]
    unread: tuple[str, ...] = ()
    """The fields that a limit cut."""
    before: dict[str, Modality | None] = {}
    """What had been said of the modalities that pack found not wholly read; None: nothing. Another pack, which may see
    more, begins from there."""


class ImageScores(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The image expert's output."""

    logits: NDArray[np.float32]
    """Shape [pictures, image heads], before calibration; pictures in the order of `FetchSection`."""
    features: NDArray[np.float32]
    """Shape [pictures, dim], pooled."""
    engine: str | None = None
    """The execution provider that it came from."""

    def __post_init__(self) -> None:
        _check_array("logits", self.logits, np.dtype(np.float32), 2)
        _check_array("features", self.features, np.dtype(np.float32), 2)


class Attribution(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a post that a label's probability rests on.

    [start, end) are code points of the field as it was posted; of `ocr` and `asr`, of its lines or segments in order,
    joined with line breaks.
    """

    field: FieldName
    start: int
    end: int
    label: str
    weight: Annotated[float, Meta(gt=0)]
    """What it adds to the label's calibrated log-odds: alone, to a window without text; or, of a whole
    sentence, line or segment, to the rest of its window."""


class EncodeSection(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The experts' output."""

    logits: NDArray[np.float32]
    """The text expert's, shape [windows, heads], before calibration; no rows where there was nothing to read."""
    embedding: NDArray[np.float32]
    """The text expert's, shape [dim], or [0] where there was nothing to read."""
    engine: str | None = None
    """The execution provider that the text expert ran on."""
    image: ImageScores | None = None
    parts: dict[Literal["text", "ocr", "asr"], NDArray[np.float32]] = {}
    """The text expert's embedding of the post's own text, of the lines in its pictures and of what is said alone, each
    of shape [dim]; of packs with a fusion, which asks for it."""
    attributions: tuple[Attribution, ...] = ()
    """Where in the post's worst window the text expert found what it found; only of posts over a threshold."""

    def __post_init__(self) -> None:
        _check_array("logits", self.logits, np.dtype(np.float32), 2)
        _check_array("embedding", self.embedding, np.dtype(np.float32), 1)
        for name, embedding in self.parts.items():
            _check_array(f"parts.{name}", embedding, np.dtype(np.float32), 1)


def _check_array(name: str, value: object, dtype: np.dtype[Any], rank: int) -> None:
    array = cast("NDArray[Any]", value)
    if not isinstance(value, np.ndarray) or array.dtype != dtype or array.ndim != rank:
        raise ValueError(f"{name} must be an array of {dtype} with {rank} dimension{'s' if rank > 1 else ''}")
