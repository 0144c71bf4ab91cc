"""`report.html`: a suite's figures for people, on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models_export.evaluation import html_page as page
from models_export.evaluation import plots
from models_export.evaluation.judgement.figures import Curves, GroupFigures, LabelFigures, Review
from models_export.evaluation.judgement.report import Report
from models_export.evaluation.judgement.suite import Cell, Suite, Table
from models_export.measures.bootstrap import Estimate

EXPLAINED = (
    "Small numbers are 95% intervals by resampling items. Macro-F1 is the mean of the F1 of both classes, PR-AUC the "
    "average precision, ECE the expected calibration error with 15 bins; before is the text expert's logit as it "
    "comes. Thresholds are those of the pack and the policy, as served."
)

LABEL_COLUMNS = ("items", "positives", "threshold", "macro-F1", "precision", "recall", "false positives")
RANK_COLUMNS = ("accuracy", "F1", "PR-AUC", "ROC-AUC", "ECE", "ECE before", "Brier", "Brier before")

SHOWN_FAILURES = 20

WIDEST = 6
"""Columns of a suite's own table with intervals in full; in a wider one there is no room."""


def page_of(suite: Suite, report: Report) -> str:
    return page.page(f"modstream eval {suite.name}", _body(suite, report))


def _body(suite: Suite, report: Report) -> Iterator[str]:
    made = report.made
    yield page.paragraph(suite.about)
    yield page.paragraph(
        f"{report.items:,} items, modstream {made.code}, pack {made.pack}, policy {made.policy}. The chain took "
        f"{made.seconds:.0f} s ({report.posts_per_s:.1f} posts/s). {len(report.failed):,} failed, in "
        f"{report.unjudged:,} there was nothing to judge."
    )
    yield page.paragraph(EXPLAINED)
    if report.averages:
        yield from _averages(report)
    if report.labels:
        yield page.heading("Labels")
        yield from _labels(report.labels)
        yield page.paragraph(f"Over all labels: F1 macro {_plain(report.macro_f1)}, micro {_plain(report.micro_f1)}.")
    for name, baseline in report.baselines.items():
        yield page.heading(f"Baseline: {name}")
        yield from _labels(baseline.labels)
    yield page.heading("Actions")
    yield _actions({"all": report.review})
    for title, table in report.own.items():
        yield from _own(title, table)
    for by, groups in report.groups.items():
        yield from _groups(by, groups)
    for label, found in report.curves.items():
        yield from _curves(label, found)
    if report.failed:
        yield page.heading("Failed")
        rows = [(page.bdi(of.id), page.bdi(of.reason)) for of in report.failed[:SHOWN_FAILURES]]
        yield page.table(("item", "why"), rows, numbers=False)
        yield page.paragraph(f"{len(report.failed):,} in all; report.json has every one.")


def _averages(report: Report) -> Iterator[str]:
    yield page.heading("Means over groups")
    yield page.table(
        ("", "groups", "macro-F1", *report.baselines),
        [
            (
                page.bdi(name),
                str(of.groups),
                page.number(of.macro_f1),
                *(page.number(baseline.averages[name].macro_f1) for baseline in report.baselines.values()),
            )
            for name, of in report.averages.items()
        ],
    )


def _labels(labels: Mapping[str, LabelFigures]) -> Iterator[str]:
    yield page.table(("", *LABEL_COLUMNS), [(page.bdi(name), *_counted(of)) for name, of in labels.items()])
    yield page.table(("", *RANK_COLUMNS), [(page.bdi(name), *_ranked(of)) for name, of in labels.items()])


def _counted(of: LabelFigures) -> tuple[str, ...]:
    counts = (str(of.rows), str(of.positives), "differs" if of.threshold is None else f"{of.threshold:.3f}")
    return (*counts, *map(page.number, (of.macro_f1, of.precision, of.recall, of.false_positive_rate)))


def _ranked(of: LabelFigures) -> tuple[str, ...]:
    rates = (of.accuracy, of.f1, of.average_precision, of.roc_auc)
    plain = (of.calibration_error, of.calibration_error_before, of.brier, of.brier_before)
    return (*map(page.number, rates), *map(_plain, plain))


def _actions(groups: Mapping[str, Review]) -> str:
    actions = list(next(iter(groups.values())).actions)
    return page.table(
        ("", "items", *actions, "review rate", "review or block"),
        [
            (
                page.bdi(name),
                str(of.rows),
                *(str(of.actions[action]) for action in actions),
                page.number(of.review_rate),
                page.number(of.restricted_rate),
            )
            for name, of in groups.items()
        ],
    )


def _groups(by: str, groups: Mapping[str, GroupFigures]) -> Iterator[str]:
    if not groups:
        return
    yield page.heading(f"By {by.replace('_', ' ')}")
    for label in dict.fromkeys(label for of in groups.values() for label in of.labels):
        found = {name: of.labels[label] for name, of in groups.items() if label in of.labels}
        yield page.table((label, *LABEL_COLUMNS), [(page.bdi(name), *_counted(of)) for name, of in found.items()])
        yield page.whiskers([(name, of.macro_f1) for name, of in found.items()], f"{label} by {by}: macro-F1")
    yield _actions({name: of.review for name, of in groups.items()})
    yield page.whiskers([(name, of.review.review_rate) for name, of in groups.items()], f"review rate by {by}")


def _own(title: str, table: Table) -> Iterator[str]:
    yield page.heading(title)
    if not table:
        yield page.paragraph("Nothing to show.")
        return
    header = list(next(iter(table.values())))
    wide = len(header) > WIDEST
    yield page.table(
        ("", *header),
        [(page.bdi(name), *(_cell(row.get(column), wide=wide) for column in header)) for name, row in table.items()],
    )


def _cell(value: Cell, *, wide: bool) -> str:
    if isinstance(value, Estimate):
        return _plain(value.value) if wide else page.number(value)
    if isinstance(value, float):
        return _plain(value)
    return "–" if value is None else page.bdi(value)


def _curves(label: str, found: Curves) -> Iterator[str]:
    yield page.heading(f"Curves: {label}")
    reliability = [("calibrated", [(said, true) for said, true, _ in found.reliability])]
    if found.reliability_before:
        reliability.append(("before", [(said, true) for said, true, _ in found.reliability_before]))
    risk = found.risk_coverage
    yield plots.lines(reliability, "mean probability", "share of positives", diagonal=True)
    yield plots.lines([("precision", found.precision_recall)], "recall", "precision")
    yield plots.lines(
        [(f"risk, mean {risk.area:.3f}", list(zip(risk.coverage, risk.risk, strict=True)))],
        "coverage: share of the items, the surest first",
        "error among them",
    )


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
