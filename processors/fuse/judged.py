"""How much each modality's score can be trusted, and what else is known of the post besides its scores."""

from __future__ import annotations

from collections.abc import Mapping

from processors.fuse.language import can_read
from processors.fuse.modalities import Judged
from processors.fuse.scores import Part, Probabilities
from processors.pack.layout import UNKNOWN_LANGUAGE
from processors.packs import Pack
from processors.packs.calibration import DECIMALS
from processors.policy import LANG_UNSUPPORTED, known_flag
from schemas import Record


def judged_modalities(record: Record, pack: Pack, parts: Mapping[Part, Probabilities]) -> dict[str, Judged]:
    """Modality -> its score and the confidence in it, 0..1; only of those that an expert judged.

    For a calibrated probability p the confidence is max(p, 1 - p). The text expert's is less by what share of the
    letters it could not see, times the confidence of the reading for lines in pictures and of the hearing for speech,
    and 0 in a language for which nothing is known about its scores.
    """
    features = record.pack.features if record.pack is not None else {}
    found: dict[str, Judged] = {}
    if "text" in parts:
        score = _score(parts["text"])
        seen = 1.0 - features.get("unknown_share", 0.0)
        found["text"] = Judged(score, _confidence(score, seen) if reads_text(record, pack) else 0.0)
    if "ocr" in parts:
        score = _score(parts["ocr"])
        seen = (1.0 - features.get("ocr_unknown_share", 0.0)) * features.get("ocr_confidence", 0.0)
        # Whoever posts a picture does not vouch for its language as for that of a text: the reading itself is in doubt.
        if reads_lines(record, pack):
            found["ocr"] = Judged(score, _confidence(score, seen))
        else:
            found["ocr"] = Judged(score, 0.0, f"the pack does not read the language of the lines ({_lines_in(record)})")
    if "asr" in parts:
        score = _score(parts["asr"])
        seen = (1.0 - features.get("asr_unknown_share", 0.0)) * features.get("asr_confidence", 0.0)
        # Whisper hears some language in any sound: as with lines, one that the pack does not read is a doubt.
        if reads_speech(record, pack):
            found["speech"] = Judged(score, _confidence(score, seen))
        else:
            reason = f"the pack does not read the language of what is said ({_spoken_in(record)})"
            found["speech"] = Judged(score, 0.0, reason)
    if "image" in parts:
        score = _score(parts["image"])
        found["image"] = Judged(score, _confidence(score, 1.0))
    return found


def raised_flags(record: Record, pack: Pack, parts: Mapping[Part, Probabilities]) -> tuple[str, ...]:
    """The flags that are facts and no label's: a language that the pack does not read, and known content, by list."""
    unread = (
        ("text" in parts and not reads_text(record, pack))
        or ("ocr" in parts and not reads_lines(record, pack))
        or ("asr" in parts and not reads_speech(record, pack))
    )
    fetched = record.fetch.media if record.fetch is not None else ()
    lists = {match.list for media in fetched for match in media.known}
    return (*([LANG_UNSUPPORTED] if unread else []), *(known_flag(name) for name in sorted(lists)))


def reads_text(record: Record, pack: Pack) -> bool:
    """Whether the pack's scores mean something in the language of the post's own text."""
    lang = record.ingest.lang if record.ingest is not None else UNKNOWN_LANGUAGE
    return can_read(pack, lang, _letters(record, "letters"))


def reads_lines(record: Record, pack: Pack) -> bool:
    """The same of the lines in its pictures."""
    return can_read(pack, _lines_in(record), _letters(record, "ocr_letters"))


def reads_speech(record: Record, pack: Pack) -> bool:
    """The same of what is said in its sound."""
    return can_read(pack, _spoken_in(record), _letters(record, "asr_letters"))


def _lines_in(record: Record) -> str:
    return (record.ocr.lang if record.ocr is not None else None) or UNKNOWN_LANGUAGE


def _spoken_in(record: Record) -> str:
    return (record.asr.lang if record.asr is not None else None) or UNKNOWN_LANGUAGE


def _letters(record: Record, feature: str) -> float:
    return record.pack.features.get(feature, 0.0) if record.pack is not None else 0.0


def _score(probabilities: Probabilities) -> float:
    return round(max(probabilities.values()), DECIMALS)


def _confidence(score: float, seen: float) -> float:
    return round(max(score, 1.0 - score) * seen, DECIMALS)
