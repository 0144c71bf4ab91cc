"""`modstream eval asr`: clips with and without speech through the stages `fetch` and `asr`."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec.structs import replace

from commands.arguments import settings_of
from commands.eval_suite import for_suite, rate, ready_folder, say_missing, share, write_report
from commands.failures import CommandFailed
from commands.terminal import columns, counted, put_json, say
from models_export.evaluation.asr_suite import (
    ROUTE,
    Clip,
    Figures,
    Report,
    Runs,
    encode_prediction,
    fetch_all,
    hear_all,
    hear_with_faster_whisper,
    make_mixed,
    make_speechless,
    page_of,
    read_clips,
    report_of,
    samples_of,
)
from models_export.evaluation.labelled_media import evenly
from processors.asr.weights import read_weights
from processors.asr.whisper import COMPUTE_TYPES
from processors.cores import usable_cores
from processors.packs import load_pack
from schemas import Stage, Status
from streams.assembly import chain_of
from streams.settings import HallucinationCheck, Settings
from streams.worker.outcomes import Versions

MIXED = 3
"""English clips that are put into silence and noise too."""


def evaluate(args: Namespace) -> int:
    data: Path = args.data.resolve()
    found = read_clips(data)
    say_missing(found, data, "clip")
    if not found.samples:
        raise CommandFailed(f"{data}: none of the clips that its manifests name is there, so that nothing was heard")
    ready_folder(args.out)
    code = version("modstream")
    with tempfile.TemporaryDirectory(prefix="modstream-eval-") as folder:
        made = Path(folder) / "made"
        made.mkdir()
        transcribed = [clip for clip in found.samples if clip.transcript is not None and clip.lang == "en"]
        mixed = make_mixed(made, [(clip, samples_of(clip.path)) for clip in transcribed[:MIXED]])
        clips = evenly((*found.samples, *make_speechless(made), *mixed), args.limit)
        settings = for_suite(settings_of(args), Path(folder) / "store", data, made)
        runs, versions = _hear(settings, code, clips)
        if all(of.status is Status.FAILED for of in runs.default):
            raise CommandFailed(f"none of {counted(len(clips), 'clip')} could be heard: {runs.default[0].reason}")
    report = report_of(found, runs, code=code, pack=str(versions.pack))
    lines = [encode_prediction(*of) for of in zip(runs.default, runs.always, runs.baseline, strict=True)]
    write_report(args.out, report, lines, page_of(report, runs))
    if args.json:
        put_json(msgspec.to_builtins(report))
    _say_table(report)
    say(f"{counted(len(clips), 'clip')} evaluated; {args.out / 'report.html'} shows them")
    return 0


def _hear(settings: Settings, code: str, clips: Sequence[Clip]) -> tuple[Runs, Versions]:
    """All clips as the settings say, with every chunk checked, and by faster-whisper."""
    (fetch, asr), versions = chain_of(settings, code, ROUTE, one_attempt=True)
    fetched, fetch_s = fetch_all(fetch, clips, _progress(clips, "fetched"))
    default, default_s = hear_all(asr, clips, fetched, _progress(clips, "heard"))
    checked = replace(settings, asr=replace(settings.asr, hallucination_check=HallucinationCheck.ALWAYS))
    (strict_asr,), _ = chain_of(checked, code, (Stage.ASR,))
    always, always_s = hear_all(strict_asr, clips, fetched, _progress(clips, "checked throughout"))
    baseline, baseline_s = hear_with_faster_whisper(
        read_weights(load_pack(settings.pack), settings.asr.model),
        COMPUTE_TYPES["cpu"] if settings.asr.compute_type == "auto" else settings.asr.compute_type,
        settings.worker.cpu_threads or usable_cores(),
        clips,
        _progress(clips, "heard by faster-whisper"),
    )
    return Runs(default, always, baseline, fetch_s, default_s, always_s, baseline_s), versions


def _progress(clips: Sequence[Clip], done: str) -> Callable[[int], None]:
    return lambda count: say(f"{count:,} of {len(clips):,} clips {done}")


def _say_table(report: Report) -> None:
    groups = {"speech": report.speech, **report.by_lang, **report.mixed}
    header = ("", "CLIPS", "MINUTES", "WER", "WER OF ALL", "CER", "LANGUAGE", "UNHEARD", "UNSAFE S", "CONFIDENCE")
    rows = [header, *(_row(name, of) for name, of in groups.items())]
    for line in columns(rows, frozenset(range(1, len(header)))):
        say(line)
    quiet, always, other = report.speechless, report.always, report.faster_whisper
    say(
        f"{quiet.clips} clips without speech: {counted(quiet.words, 'word')} trusted, "
        f"{counted(len(quiet.withheld), 'segment')} withheld; "
        f"faster-whisper hears {counted(other.speechless_words, 'word')}"
    )
    for problem in quiet.examples:
        say(f"  {problem.id}: {problem.reason}")
    say(f"every chunk checked: {counted(always.phantoms, 'phantom')}, {len(always.missed)} of them trusted by default")
    say(f"faster-whisper, file by file: WER {rate(other.wer)}, CER {rate(other.cer)} ({other.seconds:.0f} s)")
    if report.times.outside:
        say(f"{counted(len(report.times.outside), 'time')} out of place; the report names them")
    speed = report.speed
    say(f"{speed.times_real:.1f} times real time in ASR ({speed.sound_s:.0f} s of sound in {speed.asr_s:.0f} s)")


def _row(name: str, of: Figures) -> tuple[str, ...]:
    rates = (of.wer, of.wer_of_all, of.cer)
    shares = (of.language, of.unheard, of.unsafe_seconds)
    return (name, str(of.clips), f"{of.minutes:.1f}", *map(rate, rates), *map(share, shares), rate(of.confidence))
