"""`robustness-media`: pictures whose text is blurred or badly compressed, and sounds with silence in between.

How much more is misread and misheard, and how far do decisions move? Text regions are where the pack's own detector
sees lines in the picture as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from models_export.evaluation.asr_suite.samples import Clip, Spoken, read_clips
from models_export.evaluation.judgement.prediction import Misread, Prediction, named
from models_export.evaluation.judgement.running import OCR, SPEECH
from models_export.evaluation.judgement.suite import Cell, Item, Source, Suite, Table
from models_export.evaluation.labelled_media import TENANT, SuiteError, evenly
from models_export.evaluation.ocr_suite.samples import MEME_KIND, Sample, read_samples
from models_export.evaluation.suites.degraded import (
    PICTURE_EDITS,
    degraded,
    png_of,
    read_picture,
    read_sound,
    text_boxes,
    with_silence,
)
from models_export.evaluation.suites.memes import MEMES
from models_export.evaluation.suites.robustness import PLAIN, moved
from models_export.fusion.features import read_memes
from models_export.measures.bootstrap import rate
from processors.media.wav import wav_of
from processors.ocr import OcrOptions
from processors.ocr.detection import Detector
from processors.ocr.models import open_graphs
from schemas import Media, Post

LABELS = ("abuse", "hate")
SILENCE = "silence"

PICTURES, CLIPS = 60, 20
"""Of those with a whole transcript, evenly spread."""

THREADS = 1
"""Of the detector that finds the text regions."""

_READ = {"picture": (OCR, "letters"), "sound": (SPEECH, "words")}


def read(source: Source) -> list[Item]:
    """Pictures are bundles of the picture as it is and after each edit, sounds of the sound with and without silence.

    Raises SuiteError for a data folder with neither, and PackError for a pack that reads no pictures.
    """
    return [*_pictures(source), *_sounds(source)]


def _pictures(source: Source) -> Iterator[Item]:
    samples = [of for of in read_samples(source.data).samples if of.transcript is not None and of.transcript.whole]
    chosen = evenly(samples, PICTURES)
    if not chosen:
        return
    options = OcrOptions()
    detector = open_graphs(source.pack, options.models, device="cpu", threads=THREADS).detector
    hateful = _hateful(source)
    for sample in chosen:
        yield from _picture(sample, detector, options.detection_side, hateful)


def _hateful(source: Source) -> Mapping[str, bool]:
    """Path below the data folder -> whether people called the meme hateful."""
    if not (source.data / MEMES).is_dir():
        return {}
    try:
        memes = read_memes(source.data / MEMES)
        return {str(meme.path.relative_to(source.data)): meme.hateful for meme in memes}
    except (OSError, ValueError) as error:
        raise SuiteError(str(error)) from None


def _picture(sample: Sample, detector: Detector, side: int, hateful: Mapping[str, bool]) -> Iterator[Item]:
    picture = read_picture(sample.path)
    boxes = text_boxes(detector, picture, side)
    content = "memes" if sample.kind == MEME_KIND else "OCR samples"
    truth = {"hate": int(hateful[sample.id])} if sample.id in hateful else {}
    for name in (PLAIN, *PICTURE_EDITS):
        data = png_of(picture if name == PLAIN else degraded(picture, boxes, name))
        yield _item(
            sample.id,
            name,
            Media(media_id="picture", kind="image", data=data),
            {"of": "picture", "content": content, "changed": "yes" if boxes else "no"},
            truth,
            {OCR: sample.transcript.text if sample.transcript is not None else ""},
        )


def _sounds(source: Source) -> Iterator[Item]:
    clips = [of for of in read_clips(source.data).samples if of.spoken is Spoken.YES and of.transcript]
    for clip in evenly([of for of in clips if of.media == "audio"], CLIPS):
        yield from _sound(clip)


def _sound(clip: Clip) -> Iterator[Item]:
    samples = read_sound(clip.path)
    for name, heard in ((PLAIN, samples), (SILENCE, with_silence(samples))):
        yield _item(
            clip.id,
            name,
            Media(media_id="sound", kind="audio", data=wav_of(heard)),
            {"of": "sound", "content": "speech", "changed": "yes"} | ({"lang": clip.lang} if clip.lang else {}),
            {},
            {SPEECH: clip.transcript or ""},
        )


def _item(
    name: str,
    edit: str,
    media: Media,
    groups: Mapping[str, str],
    truth: Mapping[str, int],
    transcripts: Mapping[str, str],
) -> Item:
    return Item(
        Post(post_id=f"{name}+{edit}", tenant=TENANT, media=(media,)),
        {"edit": edit, "same": name, **groups},
        truth,
        bundle=name,
        transcripts=transcripts,
    )


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    plain = {of.groups["same"]: of for of in predictions if of.groups["edit"] == PLAIN}
    read: dict[str, Mapping[str, Cell]] = {}
    moves: dict[str, dict[str, Mapping[str, Cell]]] = {label: {} for label in LABELS}
    for content, members in named(predictions, "content").items():
        for edit, of_edit in named(members, "edit").items():
            pairs = [
                (plain[of.groups["same"]], of)
                for of in of_edit
                if of.groups["same"] in plain and of.groups["changed"] == "yes"
            ]
            if edit == PLAIN or not pairs:
                continue
            read[f"{content}, {edit}"] = misread(pairs)
            for label in LABELS:
                moves[label][f"{content}, {edit}"] = moved(pairs, label)
    return {
        "Misread and misheard": read,
        **{f"What moves: {label}": rows for label, rows in moves.items()},
    }


def misread(pairs: Sequence[tuple[Prediction, Prediction]]) -> dict[str, Cell]:
    """Error rates of the same files before and after an edit: letters of writing, words of speech."""
    name, unit = _READ[pairs[0][1].groups["of"]]
    both = [
        (one.misread[name], other.misread[name])
        for one, other in pairs
        if name in one.misread and name in other.misread
    ]
    return {
        "files": len(both),
        "counted in": unit,
        "error rate before": _rate([one for one, _ in both]),
        "error rate after": _rate([other for _, other in both]),
        "failed after": sum(other.error is not None for _, other in pairs),
    }


def _rate(found: Sequence[Misread]) -> Cell:
    return rate([of.edits for of in found], [of.length for of in found])


SUITE = Suite(
    name="robustness-media",
    about="Pictures as they are and with every line of text blurred or compressed to JPEG of low quality, and speech "
    "with a second of silence put in twice: what is misread and misheard, and what it does to decisions. Most pictures "
    "have no label, so that only memes have a macro-F1.",
    read=read,
    labels=("hate",),
    groups=("edit", "content"),
    core=("edit", PLAIN),
    own=own,
)
