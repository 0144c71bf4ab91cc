"""The tables of `modstream demo`: what became of a post, what was read in its pictures, and what was heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from commands.brief import top_labels
from commands.terminal import cut, printable, width
from schemas import Decision, Evidence, MediaKind, Post, Status

TEXT_COLUMNS, WHY_COLUMNS, REASON_COLUMNS, HEARD_COLUMNS = 44, 52, 76, 76
"""Where the terminal is wide enough, or there is none."""

LEAST_COLUMNS = 12
"""What is left at least of a text that is cut to fit the terminal."""

HEADER = ("POST", "LANG", "TEXT", "ACTION", "HIGHEST LABELS", "FLAGS AND REASONS")
PICTURES_HEADER = ("POST", "READ IN ITS PICTURE", "TEXT", "OCR", "IMAGE", "WHY NOT OK")
SOUNDS_HEADER = ("POST", "HEARD IN ITS SOUND", "SPEECH", "WHY NOT OK")
ELASTIC = frozenset(
    {"TEXT", "HIGHEST LABELS", "FLAGS AND REASONS", "READ IN ITS PICTURE", "HEARD IN ITS SOUND", "WHY NOT OK"}
)
"""The columns that may be cut."""

ONLY: Mapping[MediaKind, str] = {"image": "(a picture)", "video": "(a video)", "audio": "(a recording)"}
"""What is shown of a post without text."""

GAP = 2
"""Columns between two columns of a table."""


def text_of(post: Post) -> str:
    """The beginning of a post's text; of a post without any, what it is instead."""
    if post.text:
        return cut(printable(post.text), TEXT_COLUMNS)
    return ONLY[post.media[0].kind] if post.media else ""


def has_pictures(decision: Decision) -> bool:
    """Whether the post has any, read or not."""
    return decision.modalities["image"].status is not Status.ABSENT


def has_sound(decision: Decision) -> bool:
    """Whether something was said in the post, or could have been and was not heard."""
    return decision.modalities["speech"].status is not Status.ABSENT


def decision_row(name: str, text: str, decision: Decision) -> tuple[str, ...]:
    """What the table says of a decision. `text`: the post's own, or what there is instead."""
    rules = ", ".join(dict.fromkeys(reason.rule for reason in decision.reasons))  # one may fire for each modality
    why = cut("; ".join(filter(None, (" ".join(decision.flags), rules))), WHY_COLUMNS)
    return name, decision.lang or "und", text, decision.action.value, top_labels(decision.labels, 2), why


def picture_row(decision: Decision) -> tuple[str, ...]:
    """What was read in the pictures of a post, line by line, and how each of its modalities fared."""
    read = " / ".join(map(timed_text, _pieces(decision, "ocr")))
    found = [(name, decision.modalities[name]) for name in ("text", "ocr", "image")]
    # One broken picture is the reason of both its modalities: it is told once.
    reasons = dict.fromkeys(modality.reason for _, modality in found if modality.reason)
    return (
        decision.post_id,
        cut(printable(read), TEXT_COLUMNS),
        *(modality.status.value for _, modality in found),
        cut(printable("; ".join(reasons)), REASON_COLUMNS),
    )


def sound_row(decision: Decision) -> tuple[str, ...]:
    """What was heard in the sound of a post, segment by segment with its times, and how well."""
    speech = decision.modalities["speech"]
    heard = " / ".join(map(timed_text, _pieces(decision, "speech")))
    return (
        decision.post_id,
        cut(printable(heard), HEARD_COLUMNS),
        speech.status.value,
        cut(printable(speech.reason or ""), REASON_COLUMNS),
    )


def timed_text(piece: Evidence) -> str:
    """`0:03-0:07 the words`; `0:03 the words` where they are there for a moment, and without a time in a still. What is
    not to be trusted has a question mark."""
    if piece.t_start is None:
        return piece.text or ""
    start, end = clock(piece.t_start), clock(piece.t_end if piece.t_end is not None else piece.t_start)
    doubt = "?" if piece.confidence == 0.0 else ""
    return f"{start if start == end else f'{start}-{end}'} {doubt}{piece.text}"


def clock(seconds: float) -> str:
    """`0:03`, `12:40`: whole seconds, as players show them."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def _pieces(decision: Decision, modality: str) -> list[Evidence]:
    return [piece for piece in decision.evidence if piece.modality == modality and piece.text]


def fitted(header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[tuple[str, ...]]:
    """The rows with their longest texts cut, where a terminal of `room` columns needs it; 0 has room for all."""
    widths = [max(map(width, column)) for column in zip(header, *rows, strict=True)]
    least = {at: max(LEAST_COLUMNS, len(name)) for at, name in enumerate(header) if name in ELASTIC}
    while room and sum(widths) + GAP * (len(widths) - 1) > room:
        widest = max((at for at in least if widths[at] > least[at]), key=lambda at: widths[at], default=None)
        if widest is None:
            break
        widths[widest] -= 1
    return [tuple(cut(cell, columns) for cell, columns in zip(row, widths, strict=True)) for row in rows]
