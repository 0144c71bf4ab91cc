"""What a post's `ocr` modality says: whether everything that is written in its pictures was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from processors.ocr.ctc import mean_confidence
from processors.witness import testimony
from schemas import Modality, OcrPicture, Status

OCR = "ocr"


def ocr_modality(
    pictures: Sequence[OcrPicture], left_out: Mapping[str, int], missing: Sequence[str], before: Modality | None
) -> Modality:
    """`left_out`: lines over the limit, by media id. `missing`: why pictures could not be looked at. `before`: what
    earlier stages said, which is never weakened."""
    unread = [reason for picture in pictures if (reason := _unread(picture)) is not None]
    cut = [f"{media}: {_lines(count)} more than are read in a picture" for media, count in left_out.items() if count]
    found = Status.FAILED if missing else Status.UNSAFE if unread else Status.PARTIAL if cut else Status.OK
    return testimony(found, [*missing, *unread, *cut], before, _confidence(pictures))


def _unread(picture: OcrPicture) -> str | None:
    """`m1: 2 lines cannot be read (script Arab), 1 line cannot be read`."""
    scripts = Counter(line.script for line in picture.unread)
    parts = [
        f"{_lines(count)} cannot be read{f' (script {script})' if script else ''}"
        for script, count in scripts.most_common()
    ]
    return f"{picture.media_id}: {', '.join(parts)}" if parts else None


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _confidence(pictures: Sequence[OcrPicture]) -> float | None:
    mean = mean_confidence([(line.text, line.confidence) for picture in pictures for line in picture.lines])
    return None if mean is None else round(min(1.0, mean), 4)
