"""What was read of each modality of a post, and how sure the text expert is of what it says."""

from __future__ import annotations

from collections.abc import Mapping

from schemas import DOUBTFUL_STATUSES, MODALITIES, Modality, Post, Record, Status

TEXT = "text"

MEDIA_MODALITIES = {"image": ("ocr", "image"), "video": ("ocr", "image", "speech"), "audio": ("speech",)}
"""What there is to read in each kind of media."""

_ABSENT = Modality(status=Status.ABSENT)


def final_modalities(record: Record, probabilities: Mapping[str, float], *, readable: bool) -> dict[str, Modality]:
    """Every modality of version 1, in order.

    `probabilities` are the text expert's, empty where it has not read anything; `readable` says whether they mean
    something in the post's language. Media that no stage has spoken of were not read, and a post of which nothing at
    all was read has failed: neither may be approved.
    """
    found = dict(record.modalities)
    for name, kind in _needed(record.post).items():
        if name not in found:
            found[name] = Modality(status=Status.FAILED, reason=f"no stage of this chain reads {name} in {kind}")
    found[TEXT] = _text(record, found.get(TEXT, _ABSENT), probabilities, readable=readable)
    if all(modality.status is Status.ABSENT for modality in found.values()):
        found[TEXT] = Modality(status=Status.FAILED, reason="nothing in the post could be read")
    return {name: found.get(name, _ABSENT) for name in MODALITIES}


def _needed(post: Post) -> dict[str, str]:
    """Modality -> a kind of media that the post has it in."""
    return {name: media.kind for media in post.media for name in MEDIA_MODALITIES[media.kind]}


def _text(record: Record, before: Modality, probabilities: Mapping[str, float], *, readable: bool) -> Modality:
    doubtful = before.status in DOUBTFUL_STATUSES
    if not probabilities:
        if not doubtful and record.pack is not None and record.pack.windows:
            return Modality(status=Status.FAILED, reason="the text expert did not run")
        return before if doubtful else _ABSENT
    score = max(probabilities.values())
    unknown = record.pack.features.get("unknown_share", 0.0) if record.pack is not None else 0.0
    return Modality(
        status=before.status if doubtful else Status.OK,
        reason=before.reason,
        score=score,
        confidence=text_confidence(score, unknown_share=unknown, readable=readable),
        # The only modality that is scored so far.
        weight=1.0,
    )


def text_confidence(score: float, *, unknown_share: float, readable: bool) -> float:
    """How likely the text expert is right about whether any label applies, 0..1.

    For a calibrated probability p that is max(p, 1 - p); less what share of the letters it could not see; and 0 in a
    language for which nothing is known about its scores.
    """
    return round(max(score, 1.0 - score) * (1.0 - unknown_share), 3) if readable else 0.0


def combined_confidence(modalities: Mapping[str, Modality]) -> float:
    """The modalities' confidence, by their weights; 0 where nothing was scored."""
    return round(sum((part.confidence or 0.0) * (part.weight or 0.0) for part in modalities.values()), 3)
