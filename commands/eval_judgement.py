"""The suites of judgement of `modstream eval`: labelled posts through the chain, and the policy's answer to them."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from commands.arguments import settings_of
from commands.eval_suite import for_suite, put_whole, rate, ready_folder, share, write_report
from commands.failures import CommandFailed
from commands.terminal import columns, counted, put_json, say
from models_export.evaluation.judgement.page import page_of
from models_export.evaluation.judgement.prediction import PREDICTIONS_FILE, Prediction, encode_prediction
from models_export.evaluation.judgement.report import Made, Report, report_of
from models_export.evaluation.judgement.running import Judge, judged_otherwise
from models_export.evaluation.judgement.suite import Item, Source, Suite, smaller
from models_export.evaluation.suites import suite_named
from processors.chain import TEXT_STAGES
from streams.assembly import chain_of, models_of
from streams.settings import Settings
from streams.topology import STAGES

RATES = ("MACRO-F1", "ACCURACY", "PRECISION", "RECALL", "FPR", "PR-AUC", "ROC-AUC")


def evaluate(args: Namespace) -> int:
    suite = suite_named(args.suite)
    data: Path = args.data.resolve()
    settings = settings_of(args)
    models = models_of(settings)
    source = Source(data, models.pack)
    items = smaller(suite.read(source), args.limit)
    if not items:
        raise CommandFailed(f"{data}: nothing in it is of the suite {suite.name}, so that nothing was judged")
    out: Path = args.out
    ready_folder(out)
    predictions, made = _judged(settings, suite, source, items, texts=args.texts)
    if all(of.error is not None for of in predictions):
        raise CommandFailed(f"none of {counted(len(items), 'item')} could be judged: {predictions[0].error}")
    baselines = _baselines(suite, source, items, predictions) if not args.no_baselines else {}
    report = report_of(suite, made, predictions, baselines)
    write_report(out, report, list(map(encode_prediction, predictions)), page_of(suite, report))
    for name, content in suite.files(predictions).items():
        put_whole(out / name, content)
    for name, said in baselines.items():
        (out / name).mkdir(exist_ok=True)
        put_whole(out / name / PREDICTIONS_FILE, b"".join(encode_prediction(of) + b"\n" for of in said))
    if args.json:
        put_json(msgspec.to_builtins(report))
    _say_table(report)
    say(f"{counted(len(items), 'item')} evaluated; {out / 'report.html'} shows them")
    return 0


def _baselines(
    suite: Suite, source: Source, items: Sequence[Item], predictions: Sequence[Prediction]
) -> dict[str, list[Prediction]]:
    if suite.baselines is None:
        return {}
    said = suite.baselines(source, items)
    return {name: judged_otherwise(predictions, judgements) for name, judgements in said.items()}


def _judged(
    settings: Settings, suite: Suite, source: Source, items: Sequence[Item], *, texts: bool
) -> tuple[list[Prediction], Made]:
    code = version("modstream")
    stages = STAGES if any(item.post.media for item in items) else TEXT_STAGES
    with tempfile.TemporaryDirectory(prefix="modstream-eval-") as store:
        chosen = for_suite(settings, Path(store), source.data)
        processors, versions = chain_of(chosen, code, stages, one_attempt=True)
        judge = Judge(processors, tuple(stages), source.pack, models_of(chosen).policy)
        predictions, seconds = judge.judge(
            suite, items, lambda done: say(f"{done:,} of {len(items):,} items judged"), texts=texts
        )
    made = Made(code=code, pack=str(versions.pack), policy=str(versions.policy), seconds=seconds)
    return predictions, made


def _say_table(report: Report) -> None:
    header = ("", "ITEMS", "POSITIVES", *RATES, "ECE")
    rows: list[tuple[str, ...]] = [header]
    for label, of in report.labels.items():
        rates = (of.macro_f1, of.accuracy, of.precision, of.recall, of.false_positive_rate)
        ranks = (of.average_precision, of.roc_auc)
        rows.append(
            (label, str(of.rows), str(of.positives), *map(rate, (*rates, *ranks)), f"{of.calibration_error:.3f}")
        )
    if len(rows) > 1:
        for line in columns(rows, frozenset(range(1, len(header)))):
            say(line)
    for name, found in report.averages.items():
        beside = "; ".join(f"{other} {rate(of.averages[name].macro_f1)}" for other, of in report.baselines.items())
        say(f"{name}: macro-F1 {rate(found.macro_f1)} over {found.groups}{f' ({beside})' if beside else ''}")
    say(f"{share(report.review.review_rate)} go to review; {report.posts_per_s:.1f} posts/s")
    if report.failed:
        say(f"{counted(len(report.failed), 'item')} failed; the report names them")
