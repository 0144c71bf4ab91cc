"""What became of each modality of a post: whether it was read, what it said, how sure that is, how much it weighs.

One rule for all of them. What earlier stages doubted stays doubted. What the post does not have is `absent`. What it
has and nothing has judged is `failed`, whichever stage was left out: it may not be approved. The rest is `ok`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from processors.fuse.scores import is_of
from processors.pack.joined_text import join_lines, join_segments
from processors.text import is_readable
from schemas import DOUBTFUL_STATUSES, MODALITIES, FetchedMedia, Modality, Record, Status

TEXT, OCR, IMAGE, SPEECH = "text", "ocr", "image", "speech"

MEDIA_MODALITIES = {"image": (OCR, IMAGE), "video": (OCR, IMAGE, SPEECH), "audio": (SPEECH,)}
"""What there is to read in each kind of media."""

_UNSAID = Modality(status=Status.OK)
"""Of what no earlier stage has said anything: it doubts nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What an expert says of a modality."""

    score: float
    """The highest probability of any label, rounded."""
    confidence: float
    unsafe: str | None = None
    """Why the score is not to be trusted."""


def final_modalities(record: Record, judged: Mapping[str, Judged], weights: Mapping[str, float]) -> dict[str, Modality]:
    """Every modality of version 1, in order. `judged` and `weights` have those that were scored; others weigh 0."""
    found = {name: _modality(record, name, judged.get(name), weights.get(name, 0.0)) for name in MODALITIES}
    if all(modality.status is Status.ABSENT for modality in found.values()):
        found[TEXT] = Modality(status=Status.FAILED, reason="nothing in the post could be read or heard")
    return found


def _modality(record: Record, name: str, judged: Judged | None, weight: float) -> Modality:
    before = record.modalities.get(name, _UNSAID)
    reasons = [before.reason] if before.status in DOUBTFUL_STATUSES and before.reason else []
    status = before.status if before.status in DOUBTFUL_STATUSES else Status.ABSENT if judged is None else Status.OK
    if judged is not None and judged.unsafe is not None:
        status = status if status is Status.FAILED else Status.UNSAFE
        reasons.append(judged.unsafe)
    if status in (Status.ABSENT, Status.OK) and (gap := next(_gaps(record, name, judged), None)):
        status = Status.FAILED
        reasons.append(gap)
    return Modality(
        status=status,
        reason="; ".join(reasons) or None,
        score=judged.score if judged is not None else None,
        confidence=judged.confidence if judged is not None else None,
        weight=weight,
    )


def _gaps(record: Record, name: str, judged: Judged | None) -> Iterator[str]:
    """What of a modality nothing has read."""
    if name == TEXT:
        if judged is None and _has_own_windows(record):
            yield "the text expert did not run"
        return
    for kind in _kinds(record, name):
        yield f"no stage of this chain reads {name} in {kind}"
    pictures = record.pictures
    if name == OCR and record.ocr is not None:
        read = {picture.object for picture in record.ocr.pictures}
        if missing := sum(picture.object not in read for _, picture in pictures):
            yield f"{missing} of {len(pictures)} pictures were not searched for text"
        if judged is None and is_readable(join_lines(record.ocr).text):
            yield "no expert has judged the lines"
    if name == IMAGE and pictures and judged is None:
        yield "the image expert did not run"
    sounds = record.sounds
    if name == SPEECH and record.asr is not None:
        heard = {sound.object for sound in record.asr.sounds}
        if missing := sum(sound.object not in heard for _, sound in sounds):
            yield f"{missing} of {len(sounds)} sounds were not listened to"
        if judged is None and is_readable(join_segments(record.asr).text):
            yield "no expert has judged what is said"


def _kinds(record: Record, name: str) -> Iterator[str]:
    """Kinds of the post's media which hold that modality, and which no stage has opened for it."""
    items = record.fetch.media if record.fetch is not None else ()
    fetched = {item.media_id: item for item in items}
    # The same bytes twice are listened to once.
    audible = {item.sha256 for item in items if item.sound is not None}
    looked = record.encode is not None and record.encode.image is not None
    ran = {OCR: record.ocr is not None, IMAGE: looked, SPEECH: record.asr is not None}[name]
    for media in record.post.media:
        found = fetched.get(media.media_id)
        if found is None:
            if name in MEDIA_MODALITIES[media.kind]:
                yield media.kind
            continue
        # What the producer calls it does not count once its bytes are known. A recording may have a cover to look at.
        there = found.sha256 in audible if name == SPEECH else bool(found.pictures)
        expected = name in MEDIA_MODALITIES[found.kind] and not (name == SPEECH and _is_silent(record, found))
        if (there or expected) and not (there and ran):
            yield found.kind


def _is_silent(record: Record, media: FetchedMedia) -> bool:
    """Whether a video of which no sound was fetched has none: fetch says so of the whole post, or has probed this one.
    Of a sound that could not be had fetch tells, in a modality that failed or is partial."""
    said = record.modalities.get(SPEECH, _UNSAID)
    probed = media.seconds is not None or said.status is Status.ABSENT
    return media.kind == "video" and probed


def _has_own_windows(record: Record) -> bool:
    return record.pack is not None and any(is_of(window, "text") for window in record.pack.windows)


def combined_confidence(modalities: Mapping[str, Modality]) -> float:
    """The mean of the modalities' confidence, by their scores and weights: what speaks loudest, and is trusted most, is
    what the decision rests on. 0 where nothing was scored."""
    scored = [part for part in modalities.values() if part.score is not None]
    says = [(part.score or 0.0) * (part.weight or 0.0) for part in scored]
    says = says if sum(says) else [1.0] * len(scored)
    total = sum((part.confidence or 0.0) * said for part, said in zip(scored, says, strict=True))
    return round(total / sum(says), 3) if scored else 0.0
