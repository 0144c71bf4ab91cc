"""What a stage that reads or hears says of its modality: one rule for `ocr` and for `asr`."""

from __future__ import annotations

from collections.abc import Sequence

from schemas import Modality, Status

MAX_REASONS = 4
"""Media items that a reason tells about one by one."""

_SEVERITY = (Status.ABSENT, Status.OK, Status.PARTIAL, Status.UNSAFE, Status.FAILED)


def testimony(found: Status, reasons: Sequence[str], before: Modality | None, confidence: float | None) -> Modality:
    """`found`: by this stage, for these reasons. `before`: what earlier stages said, which is never weakened."""
    told = [before.reason] if before and before.reason else []
    return Modality(
        status=max(found, before.status, key=_SEVERITY.index) if before else found,
        reason="; ".join([*told, *_shortened(reasons)]) or None,
        confidence=confidence,
    )


def _shortened(reasons: Sequence[str]) -> list[str]:
    further = len(reasons) - MAX_REASONS
    return [*reasons[:MAX_REASONS], f"and {further} more"] if further > 0 else list(reasons)
