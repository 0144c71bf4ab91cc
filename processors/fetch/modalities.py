"""What the fate of a post's media means for its modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas import MediaKind, Modality, Status

MEDIA_MODALITIES = ("ocr", "image", "speech")

OF_KIND: Mapping[MediaKind, tuple[str, ...]] = {
    "image": ("ocr", "image"),
    "video": ("ocr", "image", "speech"),
    "audio": ("speech",),
}

MAX_REASONS = 5
"""A post may have a hundred items; people look at the first few of what went wrong."""

MAX_ID_CHARS = 64


@dataclass(frozen=True, slots=True)
class Fate:
    """How an item fared; a reason, one clause, where it failed or was left in part."""

    media_id: str
    kind: MediaKind
    """By its bytes; as the post says where there are none, or they say nothing."""
    failed: str | None = None
    partial: str | None = None


def media_modalities(before: Mapping[str, Modality], fates: Sequence[Fate]) -> dict[str, Modality]:
    """The modalities after fetching: `absent` where no item has any of it, `failed` where an item that does failed,
    `partial` where something of one was left out, and no entry where all is well: later stages say so."""
    found = {name: modality for name, modality in before.items() if name not in MEDIA_MODALITIES}
    for name in MEDIA_MODALITIES:
        concerned = [fate for fate in fates if name in OF_KIND[fate.kind]]
        failed = [(fate, fate.failed) for fate in concerned if fate.failed is not None]
        partial = [(fate, fate.partial) for fate in concerned if fate.partial is not None]
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
