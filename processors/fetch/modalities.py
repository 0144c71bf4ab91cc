"""What the fate of a post's media means for its modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from processors.media.decoder import Gap
from schemas import MediaKind, Modality, Status

MEDIA_MODALITIES = ("ocr", "image", "speech")

MAX_REASONS = 5
"""A post may have a hundred items; people look at the first few of what went wrong."""

MAX_ID_CHARS = 64


@dataclass(frozen=True, slots=True)
class Part:
    """What there is to look at in an item, or to listen to."""

    gap: Gap | None = None
    """What of it is missing; None where all is well."""


@dataclass(frozen=True, slots=True)
class Fate:
    """How an item fared: each part of it, None for what it has not."""

    media_id: str
    pictures: Part | None
    sound: Part | None

    @classmethod
    def alike(cls, media_id: str, kind: MediaKind, gap: Gap | None) -> Fate:
        """Of an item of which only its kind is known, by its bytes or as the post says: all that such an item has fares
        the same."""
        part = Part(gap)
        return cls(media_id, None if kind == "audio" else part, None if kind == "image" else part)


def media_modalities(before: Mapping[str, Modality], fates: Sequence[Fate]) -> dict[str, Modality]:
    """The modalities after fetching: `absent` where no item has any of it, `failed` where an item that does failed,
    `partial` where something of one was left out, and no entry where all is well: later stages say so."""
    found = {name: modality for name, modality in before.items() if name not in MEDIA_MODALITIES}
    for name in MEDIA_MODALITIES:
        parts = [(fate, fate.sound if name == "speech" else fate.pictures) for fate in fates]
        concerned = [(fate, part.gap) for fate, part in parts if part is not None]
        failed = [(fate, gap.reason) for fate, gap in concerned if gap is not None and gap.failed]
        partial = [(fate, gap.reason) for fate, gap in concerned if gap is not None and not gap.failed]
        if not concerned:
            found[name] = Modality(status=Status.ABSENT)
        elif failed:
            found[name] = Modality(status=Status.FAILED, reason=_reason(failed + partial))
        elif partial:
            found[name] = Modality(status=Status.PARTIAL, reason=_reason(partial))
    return found


def _reason(told: Sequence[tuple[Fate, str]]) -> str:
    shown = [f"{_name(fate.media_id)}: {reason}" for fate, reason in told[:MAX_REASONS]]
    left = len(told) - len(shown)
    return "; ".join(shown) + (f"; and {left} more" if left else "")


def _name(media_id: str) -> str:
    return media_id if len(media_id) <= MAX_ID_CHARS else media_id[: MAX_ID_CHARS - 1] + "…"
